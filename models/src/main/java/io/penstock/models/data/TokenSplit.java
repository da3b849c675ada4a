package io.penstock.models.data;

import io.penstock.models.tokens.Tokenizer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Which texts train and which validate. With {@link #MANY} texts or more, whole texts validate: in the order of a hash of (seed, name), until they hold
 * the fraction of the bytes. With fewer, all texts are in {@code training}, and the last {@code positionFraction} of their tokens validates.
 */
record TokenSplit(List<TextSource.Text> training, List<TextSource.Text> validation, double positionFraction) {
    static final int MANY = 20;

    /** Throws {@link DataException} if there are no bytes. */
    static TokenSplit of(DataRequest request, List<TextSource.Text> texts) {
        long bytes = texts.stream().mapToLong(TextSource.Text::bytes).sum();
        if (bytes == 0) {
            String filter = request.extensions().isEmpty() ? "" : " ending in " + request.extensions();
            throw new DataException(request.source(), "empty: " + texts.size() + " files" + filter + " of 0 bytes");
        }
        if (texts.size() < MANY || request.validationFraction() == 0) {
            return new TokenSplit(texts, List.of(), request.validationFraction());
        }
        List<TextSource.Text> byHash = new ArrayList<>(texts);
        byHash.sort(Comparator.comparingLong((TextSource.Text text) -> Hashing.of(request.seed(), text.name()))
                .thenComparing(TextSource.Text::name));
        Set<TextSource.Text> chosen = new HashSet<>();
        long held = 0;
        for (TextSource.Text text : byHash) {
            if (held >= request.validationFraction() * bytes || chosen.size() == texts.size() - 1) {
                break;
            }
            chosen.add(text);
            held += text.bytes();
        }
        return new TokenSplit(
                texts.stream().filter(text -> !chosen.contains(text)).toList(),
                texts.stream().filter(chosen::contains).toList(),
                0);
    }

    /** Of everything that the tokens depend on. */
    long key(DataRequest request, Tokenizer tokenizer) {
        long key = Hashing.of(
                TokenCacheHeader.VERSION,
                tokenizer.name() + " " + request.source().toAbsolutePath());
        key = Hashing.of(key, Double.doubleToLongBits(positionFraction));
        for (List<TextSource.Text> part : List.of(training, validation)) {
            key = Hashing.of(key, part.size());
            for (TextSource.Text text : part) {
                key = Hashing.of(Hashing.of(Hashing.of(key, text.name()), text.bytes()), text.stamp());
            }
        }
        return key;
    }
}
