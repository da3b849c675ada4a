package io.penstock.engine.config;

/** Which activations are thrown away in the forward pass and computed again in the backward pass. */
public enum ActivationCheckpointing {
    NONE("none"),
    SELECTIVE("selective"),
    FULL("full"),
    AUTO("auto");

    private final String word;

    ActivationCheckpointing(String word) {
        this.word = word;
    }

    /** The word in the configuration. */
    @Override
    public String toString() {
        return word;
    }
}
