package io.penstock.engine.config;

/** The optimizers. */
public enum OptimizerName {
    ADAMW("adamw");

    private final String word;

    OptimizerName(String word) {
        this.word = word;
    }

    /** The word in the configuration. */
    @Override
    public String toString() {
        return word;
    }
}
