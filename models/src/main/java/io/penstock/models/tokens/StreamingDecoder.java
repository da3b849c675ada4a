package io.penstock.models.tokens;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

/** Text from tokens as they come: characters are given once all their bytes are there. For one text and one thread. */
public final class StreamingDecoder {
    private final Tokenizer tokenizer;
    private final CharsetDecoder decoder = StandardCharsets.UTF_8
            .newDecoder()
            .onMalformedInput(CodingErrorAction.REPLACE)
            .onUnmappableCharacter(CodingErrorAction.REPLACE);
    /** Bytes of a character that is not whole yet; at most three. */
    private byte[] pending = new byte[0];

    public StreamingDecoder(Tokenizer tokenizer) {
        this.tokenizer = tokenizer;
    }

    /** The characters that {@code token} completes, maybe none. */
    public String next(int token) {
        return decode(tokenizer.bytes(token), false);
    }

    /** What is left when no token follows: U+FFFD for a broken character, or nothing. */
    public String finish() {
        String text = decode(new byte[0], true);
        decoder.reset();
        return text;
    }

    private String decode(byte[] bytes, boolean last) {
        ByteBuffer in = ByteBuffer.allocate(pending.length + bytes.length);
        in.put(pending).put(bytes).flip();
        CharBuffer out = CharBuffer.allocate(in.remaining() + 1);
        decoder.decode(in, out, last);
        pending = new byte[in.remaining()];
        in.get(pending);
        return out.flip().toString();
    }
}
