package io.penstock.engine.config;

/** Which states live outside of a rank's device memory. */
public enum Offload {
    NONE("none"),
    OPTIMIZER("optimizer"),
    PARAMETERS("parameters"),
    ACTIVATIONS("activations");

    private final String word;

    Offload(String word) {
        this.word = word;
    }

    /** The word in the configuration. */
    @Override
    public String toString() {
        return word;
    }
}
