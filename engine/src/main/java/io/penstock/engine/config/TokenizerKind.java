package io.penstock.engine.config;

/** How text becomes tokens. {@code bytes}: the 256 byte values. */
public enum TokenizerKind {
    BYTES("bytes");

    private final String word;

    TokenizerKind(String word) {
        this.word = word;
    }

    /** The word in the configuration. */
    @Override
    public String toString() {
        return word;
    }
}
