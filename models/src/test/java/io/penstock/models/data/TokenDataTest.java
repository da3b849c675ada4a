package io.penstock.models.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.penstock.models.tokens.Tokenizer;
import io.penstock.models.tokens.Tokenizers;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Arrays;
import java.util.List;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class TokenDataTest {
    private static final Tokenizer BYTES = Tokenizers.find("bytes").orElseThrow();
    private static final Tokenizer GPT2 = Tokenizers.find("gpt2").orElseThrow();

    @TempDir
    Path folder = Path.of("");

    private DataRequest request(Path source, double fraction, String... extensions) {
        return new DataRequest(source, List.of(extensions), fraction, 1, folder.resolve("cache"));
    }

    private static String text(TokenSpan span) {
        StringBuilder text = new StringBuilder();
        for (long i = 0; i < span.size(); i++) {
            text.append((char) span.get(i));
        }
        return text.toString().replace('\0', '|');
    }

    /** Four bytes. */
    private static String content(int i) {
        return "<%02d>".formatted(i);
    }

    private Path javaFiles(int count) throws IOException {
        Path source = folder.resolve("src");
        for (int i = 0; i < count; i++) {
            Path file = source.resolve("p" + i % 3 + "/File" + i + ".java");
            Files.createDirectories(file.resolveSibling(""));
            Files.writeString(file, content(i));
        }
        Files.writeString(source.resolve("readme.txt"), "not this");
        return source;
    }

    @Test
    void shouldSplitASingleFileByPosition() throws IOException {
        Path file = Files.writeString(folder.resolve("a.txt"), "0123456789".repeat(10));
        try (TokenData data = TokenData.open(request(file, 0.2), BYTES, 256)) {
            // 100 bytes and the end of text: the last 20 validate
            assertEquals("0123456789".repeat(8) + "0", text(data.training()));
            assertEquals(
                    "123456789".concat("0123456789|"), text(data.validation().orElseThrow()));
        }
        try (TokenData data = TokenData.open(request(file, 0), BYTES, 256)) {
            assertEquals(101, data.training().size());
            assertTrue(data.validation().isEmpty());
        }
    }

    @Test
    void shouldSplitManyFilesByFile() throws IOException {
        Path source = javaFiles(50);
        try (TokenData data = TokenData.open(request(source, 0.1, ".java"), BYTES, 256)) {
            String training = text(data.training());
            String validation = text(data.validation().orElseThrow());
            assertEquals(5, validation.chars().filter(c -> c == '|').count(), validation);
            for (int i = 0; i < 50; i++) {
                String token = content(i) + "|";
                assertTrue(training.contains(token) != validation.contains(token), token);
            }
            assertTrue(training.indexOf("<03>") < training.indexOf("<02>"), "sorted by path: p0 before p1");
        }
    }

    @Test
    void shouldReadAnArchiveAsItsFolder() throws IOException {
        Path source = javaFiles(30);
        Path jar = folder.resolve("sources.jar");
        try (var zip = new ZipOutputStream(Files.newOutputStream(jar))) {
            for (int i = 29; i >= 0; i--) {
                zip.putNextEntry(new ZipEntry("p" + i % 3 + "/File" + i + ".java"));
                zip.write(content(i).getBytes(StandardCharsets.UTF_8));
            }
            zip.putNextEntry(new ZipEntry("META-INF/MANIFEST.MF"));
            zip.write(1);
        }
        try (TokenData a = TokenData.open(request(source, 0.1, ".java"), BYTES, 256);
                TokenData b = TokenData.open(request(jar, 0.1, ".java"), BYTES, 256)) {
            assertEquals(text(a.training()), text(b.training()));
            assertEquals(text(a.validation().orElseThrow()), text(b.validation().orElseThrow()));
        }
    }

    @Test
    void shouldTokeniseOnceAndAgainWhenTheTextChanges() throws IOException {
        Path file = Files.writeString(folder.resolve("a.txt"), "Hello world");
        DataRequest request = request(file, 0);
        TokenData.open(request, GPT2, 50257).close();
        Path cache = onlyFile(request.cacheFolder());
        FileTime time = FileTime.fromMillis(1000);
        Files.setLastModifiedTime(cache, time);
        try (TokenData data = TokenData.open(request, GPT2, 50257)) {
            assertEquals(time, Files.getLastModifiedTime(cache));
            assertEquals(2, data.training().bytesPerToken());
            assertEquals(3, data.training().size());
            assertEquals(15496, data.training().get(0));
            assertEquals(995, data.training().get(1));
            assertEquals(50256, data.training().get(2));
        }
        Files.writeString(file, "Hello world, again");
        try (TokenData data = TokenData.open(request, GPT2, 50257)) {
            assertEquals(5, data.training().size());
        }
    }

    private static Path onlyFile(Path folder) throws IOException {
        try (var files = Files.list(folder)) {
            List<Path> all = files.toList();
            assertEquals(1, all.size(), all.toString());
            return all.getFirst();
        }
    }

    @Test
    void shouldRefuseADamagedCache() throws IOException {
        Path file = Files.writeString(folder.resolve("a.txt"), "Hello world");
        DataRequest request = request(file, 0);
        TokenData.open(request, BYTES, 256).close();
        Path cache = onlyFile(request.cacheFolder());
        byte[] whole = Files.readAllBytes(cache);
        for (int size : new int[] {0, 20, whole.length - 1}) {
            Files.write(cache, Arrays.copyOf(whole, size));
            assertMessage(cache.toString(), request, BYTES, 256);
        }
    }

    @Test
    void shouldNameTheTextAndByteOfATokenOutOfVocabulary() throws IOException {
        Path file = Files.writeString(folder.resolve("a.txt"), "plain ä");
        assertMessage(file + ":6: token 195 is not below the model's vocab_size=128", request(file, 0), BYTES, 128);
        Path source = javaFiles(2);
        Files.writeString(source.resolve("p1/Z.java"), "abc\u007f");
        assertMessage(source + "!p1/Z.java:3: token 127", request(source, 0, ".java"), BYTES, 127);
    }

    @Test
    void shouldRefuseMissingAndEmptySources() throws IOException {
        Path missing = folder.resolve("nowhere");
        assertMessage(missing + ": no such file or folder", request(missing, 0), BYTES, 256);
        Path empty = Files.writeString(folder.resolve("empty.txt"), "");
        assertMessage(empty + ": empty: 1 files of 0 bytes", request(empty, 0), BYTES, 256);
        Path source = javaFiles(3);
        assertMessage("empty: 0 files ending in [.rs]", request(source, 0, ".rs"), BYTES, 256);
        assertThrows(DataException.class, () -> request(source, 1));
        Path noZip = Files.writeString(folder.resolve("no.zip"), "text");
        assertMessage(noZip.toString(), request(noZip, 0), BYTES, 256);
    }

    private static void assertMessage(String expected, DataRequest request, Tokenizer tokenizer, int vocabulary) {
        var error = assertThrows(
                DataException.class,
                () -> TokenData.open(request, tokenizer, vocabulary).close());
        assertTrue(String.valueOf(error.getMessage()).contains(expected), error.getMessage());
    }
}
