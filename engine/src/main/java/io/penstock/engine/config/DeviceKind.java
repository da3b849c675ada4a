package io.penstock.engine.config;

/** Where a rank computes. */
public enum DeviceKind {
    CPU("cpu"),
    CUDA("cuda");

    private final String word;

    DeviceKind(String word) {
        this.word = word;
    }

    /** The word in the configuration. */
    @Override
    public String toString() {
        return word;
    }
}
