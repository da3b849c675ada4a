package io.penstock.engine.config.yaml;

import java.util.Collection;
import java.util.Comparator;
import java.util.Optional;

/** The word a user most likely meant, by edit distance (insert, delete, replace, swap of neighbours). */
public final class Nearest {
    private Nearest() {}

    /** The nearest candidate, if it is within a third of the word's length (and never more than 4 edits; 2 always pass). */
    public static Optional<String> to(String word, Collection<String> candidates) {
        int limit = Math.min(4, Math.max(2, word.length() / 3));
        return candidates.stream()
                .min(Comparator.comparingInt((String candidate) -> distance(word, candidate))
                        .thenComparing(Comparator.naturalOrder()))
                .filter(candidate -> distance(word, candidate) <= limit)
                .filter(candidate -> distance(word, candidate) < Math.max(word.length(), candidate.length()));
    }

    /** {@code ", did you mean 'x'?"} or nothing. */
    public static String suggestion(String word, Collection<String> candidates) {
        return to(word, candidates)
                .map(candidate -> ", did you mean '" + candidate + "'?")
                .orElse("");
    }

    static int distance(String a, String b) {
        int[][] d = new int[a.length() + 1][b.length() + 1];
        for (int i = 0; i <= a.length(); i++) {
            for (int j = 0; j <= b.length(); j++) {
                if (i == 0 || j == 0) {
                    d[i][j] = i + j;
                    continue;
                }
                int replace = d[i - 1][j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                d[i][j] = Math.min(replace, Math.min(d[i - 1][j], d[i][j - 1]) + 1);
                if (i > 1 && j > 1 && a.charAt(i - 1) == b.charAt(j - 2) && a.charAt(i - 2) == b.charAt(j - 1)) {
                    d[i][j] = Math.min(d[i][j], d[i - 2][j - 2] + 1);
                }
            }
        }
        return d[a.length()][b.length()];
    }
}
