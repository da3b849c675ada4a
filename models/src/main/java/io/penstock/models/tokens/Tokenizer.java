package io.penstock.models.tokens;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** Text to token ids and back. Every token stands for some bytes; the bytes of all tokens in turn are the text in UTF-8. Immutable. */
public interface Tokenizer {
    /** The value of {@code data.tokenizer}: "bytes", "gpt2". */
    String name();

    /** Ids are 0 .. vocabularySize - 1. */
    int vocabularySize();

    /** The id that ends a text; {@link #encode} never gives it for text without NUL characters. */
    int endOfText();

    /** Of UTF-8 bytes {@code from .. to - 1}; what is no UTF-8 becomes U+FFFD where the tokenizer works on characters. */
    int[] encode(byte[] utf8, int from, int to);

    default int[] encode(String text) {
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        return encode(utf8, 0, utf8.length);
    }

    /** What a token stands for, maybe part of a character; nothing for {@link #endOfText}. {@link IllegalArgumentException} for an id out of range. */
    byte[] bytes(int token);

    /** Bytes that are no UTF-8 become U+FFFD; {@link StreamingDecoder} is for tokens that are still arriving. */
    default String decode(int... tokens) {
        ByteArrayOutputStream utf8 = new ByteArrayOutputStream();
        for (int token : tokens) {
            utf8.writeBytes(bytes(token));
        }
        return utf8.toString(StandardCharsets.UTF_8);
    }

    /** Writes what {@link Tokenizers#load} needs into a checkpoint's folder. */
    void save(Path folder);
}
