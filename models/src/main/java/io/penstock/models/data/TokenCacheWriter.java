package io.penstock.models.data;

import io.penstock.models.tokens.Tokenizer;
import io.penstock.models.weights.AtomicFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.List;

/** Tokenises the texts of a source, one text in memory at a time. */
final class TokenCacheWriter {
    /** A text, and its tokens of at most four bytes, each fit an array. */
    private static final long MAX_TEXT_BYTES = Integer.MAX_VALUE / 4 - 8;

    private final Path sourcePath;
    private final TextSource source;
    private final Tokenizer tokenizer;
    private final int bytesPerToken;

    TokenCacheWriter(Path sourcePath, TextSource source, Tokenizer tokenizer) {
        this.sourcePath = sourcePath;
        this.source = source;
        this.tokenizer = tokenizer;
        this.bytesPerToken = TokenSpan.bytesPerToken(tokenizer.vocabularySize());
    }

    /** The file appears whole; of several that write it at once, the last one's, which is the same. */
    void write(Path cache, TokenSplit split, long key) throws IOException {
        try (AtomicFile file = AtomicFile.create(cache)) {
            FileChannel channel = file.channel();
            channel.position(TokenCacheHeader.BYTES);
            Written training = write(channel, split.training(), new Written(0, tokenizer.endOfText()));
            Written all = write(channel, split.validation(), training);
            long trainingTokens = training.tokens() - (long) (split.positionFraction() * training.tokens());
            var header = new TokenCacheHeader(bytesPerToken, key, trainingTokens, all.tokens(), all.largest());
            writeFully(channel.position(0), header.bytes());
            file.commit();
        }
    }

    private record Written(long tokens, int largest) {}

    private Written write(FileChannel channel, List<TextSource.Text> texts, Written before) throws IOException {
        long count = before.tokens;
        int largest = before.largest;
        for (TextSource.Text text : texts) {
            int[] tokens = tokens(text);
            for (int token : tokens) {
                largest = Math.max(largest, token);
            }
            ByteBuffer bytes = ByteBuffer.allocate(Math.multiplyExact(tokens.length + 1, bytesPerToken))
                    .order(ByteOrder.LITTLE_ENDIAN);
            for (int token : tokens) {
                put(bytes, token);
            }
            put(bytes, tokenizer.endOfText());
            writeFully(channel, bytes.flip());
            count += tokens.length + 1;
        }
        return new Written(count, largest);
    }

    private int[] tokens(TextSource.Text text) throws IOException {
        if (text.bytes() > MAX_TEXT_BYTES) {
            throw new DataException(
                    sourcePath,
                    text.name() + " has " + text.bytes() + " bytes, more than " + MAX_TEXT_BYTES + ": split it");
        }
        byte[] utf8 = source.read(text);
        return tokenizer.encode(utf8, 0, utf8.length);
    }

    private void put(ByteBuffer bytes, int token) {
        switch (bytesPerToken) {
            case 1 -> bytes.put((byte) token);
            case 2 -> bytes.putShort((short) token);
            default -> bytes.putInt(token);
        }
    }

    private static void writeFully(FileChannel channel, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    /** The error that names the first token not below {@code modelVocabulary}: its text, and the byte in it. */
    DataException outOfVocabulary(TokenSplit split, int modelVocabulary) throws IOException {
        for (List<TextSource.Text> part : List.of(split.training(), split.validation())) {
            for (TextSource.Text text : part) {
                long offset = 0;
                for (int token : tokens(text)) {
                    if (token >= modelVocabulary) {
                        return outOfVocabulary(text, offset, token, modelVocabulary);
                    }
                    offset += Math.max(1, tokenizer.bytes(token).length);
                }
                if (tokenizer.endOfText() >= modelVocabulary) {
                    return outOfVocabulary(text, text.bytes(), tokenizer.endOfText(), modelVocabulary);
                }
            }
        }
        throw new IllegalStateException("the cache of " + sourcePath + " has a token that the texts have not");
    }

    private DataException outOfVocabulary(TextSource.Text text, long offset, int token, int modelVocabulary) {
        boolean single = source instanceof TextSource.Single;
        String place = (single ? sourcePath.toString() : sourcePath + "!" + text.name()) + ":" + offset;
        return new DataException(place + ": token " + token + " is not below the model's vocab_size=" + modelVocabulary
                + " (tokenizer '" + tokenizer.name() + "' has " + tokenizer.vocabularySize() + ")");
    }
}
