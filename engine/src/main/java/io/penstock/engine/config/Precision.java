package io.penstock.engine.config;

/** The element type of activations and working weights; master weights, gradients and optimizer states are f32. */
public enum Precision {
    F32("f32"),
    BF16("bf16"),
    F16("f16");

    private final String word;

    Precision(String word) {
        this.word = word;
    }

    /** The word in the configuration. */
    @Override
    public String toString() {
        return word;
    }
}
