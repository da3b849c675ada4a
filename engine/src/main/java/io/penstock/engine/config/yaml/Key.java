package io.penstock.engine.config.yaml;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Makes a record component a configuration key, named in snake case: its meaning, default and range have their only home here. A component of type {@link
 * java.util.Optional} may be absent; one whose type is itself a record of keys is a section.
 */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.RECORD_COMPONENT)
public @interface Key {
    String REQUIRED = "<required>";

    /** The meaning, as the reference page prints it. */
    String value();

    /** YAML text that is bound where the key is absent. */
    String byDefault() default REQUIRED;

    /** Smallest value allowed, of a number or of every number in a list. */
    double min() default Double.NEGATIVE_INFINITY;

    double max() default Double.POSITIVE_INFINITY;

    /** Values must be greater than this. */
    double above() default Double.NEGATIVE_INFINITY;

    /** Values must be smaller than this. */
    double below() default Double.POSITIVE_INFINITY;

    /** Exact length of a list; -1 for any. */
    int size() default -1;

    /** A list that may be written as its only item. */
    boolean orOne() default false;

    /** Regular expression that the whole of a text must match; empty for any text. */
    String pattern() default "";

    /** A path that is written to: a relative one lies in the working folder, not beside the configuration file. */
    boolean output() default false;
}
