package io.penstock.models;

/** The parameters of one layer by name; throws {@link IllegalStateException} for a name that is not there. */
@FunctionalInterface
public interface ParameterSource {
    Parameter parameter(String name);
}
