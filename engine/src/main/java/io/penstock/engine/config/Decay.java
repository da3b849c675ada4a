package io.penstock.engine.config;

/** How the learning rate falls after the warm-up. */
public enum Decay {
    COSINE("cosine"),
    LINEAR("linear"),
    CONSTANT("constant");

    private final String word;

    Decay(String word) {
        this.word = word;
    }

    /** The word in the configuration. */
    @Override
    public String toString() {
        return word;
    }
}
