package io.penstock.models.tokens;

import com.knuddels.jtokkit.Encodings;
import com.knuddels.jtokkit.api.Encoding;
import com.knuddels.jtokkit.api.EncodingType;
import com.knuddels.jtokkit.api.IntArrayList;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * The byte pairs of GPT-2 (Sennrich et al. 2016; Radford et al. 2019): 50,256 merged or single bytes, and one id that ends a text. Special tokens are
 * never read from text.
 */
final class Gpt2Tokenizer implements Tokenizer {
    static final String NAME = "gpt2";
    private static final int END_OF_TEXT = 50256;

    private final Encoding encoding = Encodings.newLazyEncodingRegistry().getEncoding(EncodingType.R50K_BASE);

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public int vocabularySize() {
        return END_OF_TEXT + 1;
    }

    @Override
    public int endOfText() {
        return END_OF_TEXT;
    }

    @Override
    public int[] encode(byte[] utf8, int from, int to) {
        String text = new String(utf8, from, to - from, StandardCharsets.UTF_8);
        return encoding.encodeOrdinary(text).toArray();
    }

    @Override
    public byte[] bytes(int token) {
        if (token < 0 || token > END_OF_TEXT) {
            throw new IllegalArgumentException("token " + token + " of a vocabulary of " + vocabularySize());
        }
        if (token == END_OF_TEXT) {
            return new byte[0];
        }
        IntArrayList one = new IntArrayList(1);
        one.add(token);
        return encoding.decodeBytes(one);
    }

    @Override
    public void save(Path folder) {
        Tokenizers.save(folder, NAME, "GPT2Tokenizer");
    }
}
