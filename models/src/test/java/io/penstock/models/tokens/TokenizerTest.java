package io.penstock.models.tokens;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.penstock.models.weights.ModelFileException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class TokenizerTest {
    private static final String TEXT = "final class Größe { String s = \"日本 🙂\"; }\n\t // it's 1 < 23\r\n";

    @TempDir
    Path folder = Path.of("");

    private static Tokenizer tokenizer(String name) {
        return Tokenizers.find(name).orElseThrow();
    }

    @ParameterizedTest
    @ValueSource(strings = {"bytes", "gpt2"})
    void shouldDecodeWhatItEncoded(String name) {
        Tokenizer tokenizer = tokenizer(name);
        int[] tokens = tokenizer.encode(TEXT);
        assertEquals(TEXT, tokenizer.decode(tokens));
        assertEquals("", tokenizer.decode(tokenizer.endOfText()));
        for (int token : tokens) {
            assertTrue(token < tokenizer.vocabularySize() && token != tokenizer.endOfText());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"bytes", "gpt2"})
    void shouldStreamWholeCharacters(String name) {
        Tokenizer tokenizer = tokenizer(name);
        StreamingDecoder decoder = new StreamingDecoder(tokenizer);
        StringBuilder text = new StringBuilder();
        int[] tokens = tokenizer.encode(TEXT);
        for (int token : tokens) {
            String piece = decoder.next(token);
            assertTrue(piece.indexOf('\ufffd') < 0, piece);
            text.append(piece);
        }
        assertEquals(TEXT, text + decoder.finish());
        // a character cut off
        int[] smile = tokenizer.encode("🙂");
        assertEquals("", decoder.next(smile[0]));
        assertEquals("\ufffd", decoder.finish());
        assertEquals("", decoder.finish());
    }

    @Test
    void shouldEncodeAsPublishedGpt2() {
        Tokenizer gpt2 = tokenizer("gpt2");
        // the examples of Hugging Face's GPT-2 documentation
        assertArrayEquals(new int[] {15496, 995}, gpt2.encode("Hello world"));
        assertArrayEquals(new int[] {15496, 11, 616, 3290, 318, 13779}, gpt2.encode("Hello, my dog is cute"));
        assertEquals(50257, gpt2.vocabularySize());
        assertEquals(50256, gpt2.endOfText());
        assertTrue(gpt2.encode("<|endoftext|>").length > 1, "special tokens are not read from text");
        for (int token = 0; token < 50256; token++) {
            assertTrue(gpt2.bytes(token).length > 0, "token " + token);
        }
        assertThrows(IllegalArgumentException.class, () -> gpt2.bytes(50257));
    }

    @Test
    void shouldTakeBytesAsTheyAre() {
        Tokenizer bytes = tokenizer("bytes");
        byte[] noUtf8 = {7, (byte) 0xff, (byte) 0x80, 65};
        assertArrayEquals(new int[] {0xff, 0x80, 65}, bytes.encode(noUtf8, 1, 4));
        assertThrows(IllegalArgumentException.class, () -> bytes.bytes(256));
    }

    @ParameterizedTest
    @ValueSource(strings = {"bytes", "gpt2"})
    void shouldLoadTheOneThatWasSaved(String name) {
        tokenizer(name).save(folder);
        assertEquals(name, Tokenizers.load(folder).name());
    }

    @Test
    void shouldKnowAPublishedGpt2FolderAndRefuseOthers() throws IOException {
        assertThrows(ModelFileException.class, () -> Tokenizers.load(folder));
        Files.writeString(folder.resolve("tokenizer_config.json"), "{\"tokenizer_class\": \"LlamaTokenizer\"}");
        var error = assertThrows(ModelFileException.class, () -> Tokenizers.load(folder));
        assertTrue(String.valueOf(error.getMessage()).contains("LlamaTokenizer"), error.getMessage());
        Files.writeString(folder.resolve("tokenizer_config.json"), "{\"model_max_length\": 1024}");
        Files.writeString(folder.resolve("vocab.json"), "{}");
        assertEquals("gpt2", Tokenizers.load(folder).name());
    }
}
