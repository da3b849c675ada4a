package io.penstock.engine.config;

/** How text becomes tokens: the 256 byte values, or GPT-2's byte pairs. */
public enum TokenizerKind {
    BYTES("bytes", 256),
    GPT2("gpt2", 50257);

    private final String word;
    private final int vocabularySize;

    TokenizerKind(String word, int vocabularySize) {
        this.word = word;
        this.vocabularySize = vocabularySize;
    }

    int vocabularySize() {
        return vocabularySize;
    }

    /** The word in the configuration, and the tokenizer's name. */
    @Override
    public String toString() {
        return word;
    }
}
