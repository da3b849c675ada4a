package io.penstock.engine.config.yaml;

/**
 * How one Java type is written as a scalar.
 *
 * @param expected completes "expected ...": {@code a whole number}
 * @param placeholder stands for a value that could not be read, so that the checks of the others can go on
 */
public record ScalarType<T>(String expected, Parser<T> parser, T placeholder) {
    /** Reads a value. */
    @FunctionalInterface
    public interface Parser<T> {
        /** @throws IllegalArgumentException whose message is null where the text is not of this type at all, else says what is wrong with it */
        T parse(Value.Scalar scalar, Key key);
    }

    /** Not of this type at all: the binder says what was expected and found. */
    static IllegalArgumentException mismatch() {
        return new IllegalArgumentException();
    }
}
