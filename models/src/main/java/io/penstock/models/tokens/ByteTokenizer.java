package io.penstock.models.tokens;

import java.nio.file.Path;

/** A token a byte. NUL ends a text: it occurs in none. */
final class ByteTokenizer implements Tokenizer {
    static final String NAME = "bytes";
    private static final int VOCABULARY = 256;

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public int vocabularySize() {
        return VOCABULARY;
    }

    @Override
    public int endOfText() {
        return 0;
    }

    @Override
    public int[] encode(byte[] utf8, int from, int to) {
        int[] tokens = new int[to - from];
        for (int i = 0; i < tokens.length; i++) {
            tokens[i] = utf8[from + i] & 0xff;
        }
        return tokens;
    }

    @Override
    public byte[] bytes(int token) {
        if (token < 0 || token >= VOCABULARY) {
            throw new IllegalArgumentException("token " + token + " of a vocabulary of " + VOCABULARY);
        }
        return token == endOfText() ? new byte[0] : new byte[] {(byte) token};
    }

    @Override
    public void save(Path folder) {
        Tokenizers.save(folder, NAME, "ByteTokenizer");
    }
}
