package io.penstock.tensor.cpu;

/**
 * Which tokens of a batch occur more than once. A row of the table that belongs to one row of the batch alone may be added to by any thread at any time; the others are summed
 * in row order by one thread. Two bits for each row of the table, in the shared workspace: filled by the caller, read by all.
 */
final class RepeatedTokens {
    /** Rows of a table that there is room for. */
    static final long MOST = 8 * (Workspace.SHARED_BYTES / 2);

    private final long seen;
    private final long repeated;
    private boolean all = true;

    RepeatedTokens(Workspace workspace) {
        seen = workspace.shared();
        repeated = seen + MOST / 8;
    }

    /** Takes every token for a repeated one. */
    void assumeAll() {
        all = true;
    }

    /** Looks through {@code rows} tokens below {@code vocabulary}; where that is more than {@link #MOST}, all count as repeated. */
    void find(long tokens, long rows, long vocabulary) {
        all = vocabulary > MOST;
        if (all) {
            return;
        }
        long words = (vocabulary + Integer.SIZE - 1) / Integer.SIZE;
        Vectors.zero(seen, words);
        Vectors.zero(repeated, words);
        for (long row = 0; row < rows; row++) {
            int token = Lanes.getI32(tokens, row);
            int word = token / Integer.SIZE;
            int bit = bit(token);
            int before = Lanes.getI32(seen, word);
            Lanes.putI32(seen, word, before | bit);
            Lanes.putI32(repeated, word, Lanes.getI32(repeated, word) | (before & bit));
        }
    }

    boolean contains(int token) {
        return all || (Lanes.getI32(repeated, token / Integer.SIZE) & bit(token)) != 0;
    }

    /** Of a token in its word. */
    private static int bit(int token) {
        return 1 << (token % Integer.SIZE);
    }
}
