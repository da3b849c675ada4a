package io.penstock.models.data;

import io.penstock.models.tokens.Tokenizer;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;

/**
 * Texts as tokens, split in training and validation: mapped from a cache file that the first to ask writes and ranks share. Each text is followed by the
 * tokenizer's end of text.
 */
public final class TokenData implements AutoCloseable {
    private final Arena arena;
    private final TokenSpan training;
    private final Optional<TokenSpan> validation;
    private boolean closed;

    private TokenData(Arena arena, TokenSpan training, Optional<TokenSpan> validation) {
        this.arena = arena;
        this.training = training;
        this.validation = validation;
    }

    /**
     * Tokenises the source unless the cache folder holds its tokens already. Throws {@link DataException} if there is nothing to read, or a token is not
     * below {@code modelVocabulary}, with the text and the byte in it where the first such token stands.
     */
    public static TokenData open(DataRequest request, Tokenizer tokenizer, int modelVocabulary) {
        try (TextSource source = TextSource.open(request.source(), request.extensions())) {
            TokenSplit split = TokenSplit.of(request, source.texts());
            long key = split.key(request, tokenizer);
            Path cache = request.cacheFolder().resolve("tokens-%016x.bin".formatted(key));
            TokenCacheWriter writer = new TokenCacheWriter(request.source(), source, tokenizer);
            if (!Files.exists(cache)) {
                writer.write(cache, split, key);
            }
            return map(cache, key, modelVocabulary, writer, split);
        } catch (IOException e) {
            throw new DataException(request.source(), e);
        }
    }

    private static TokenData map(Path cache, long key, int modelVocabulary, TokenCacheWriter writer, TokenSplit split)
            throws IOException {
        Arena arena = Arena.ofShared();
        try (FileChannel channel = FileChannel.open(cache, StandardOpenOption.READ)) {
            TokenCacheHeader header = TokenCacheHeader.read(cache, channel, key);
            if (header.largestToken() >= modelVocabulary) {
                throw writer.outOfVocabulary(split, modelVocabulary);
            }
            int bytes = header.bytesPerToken();
            MemorySegment file = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
            MemorySegment tokens = file.asSlice(TokenCacheHeader.BYTES);
            long boundary = header.trainingTokens() * bytes;
            TokenSpan training = new TokenSpan("training data", tokens.asSlice(0, boundary), bytes);
            TokenSpan validation = new TokenSpan("validation data", tokens.asSlice(boundary), bytes);
            return new TokenData(arena, training, Optional.of(validation).filter(span -> span.size() > 0));
        } catch (IOException | RuntimeException e) {
            arena.close();
            throw e;
        }
    }

    public TokenSpan training() {
        return training;
    }

    /** Absent where the fraction is 0 or came to nothing. */
    public Optional<TokenSpan> validation() {
        return validation;
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            arena.close();
        }
    }
}
