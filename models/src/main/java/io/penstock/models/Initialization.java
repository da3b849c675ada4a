package io.penstock.models;

/** How a parameter starts. */
public sealed interface Initialization {
    /** Normal around 0. */
    record Normal(double standardDeviation) implements Initialization {}

    record Constant(double value) implements Initialization {}
}
