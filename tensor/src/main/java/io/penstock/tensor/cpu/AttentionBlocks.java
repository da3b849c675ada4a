package io.penstock.tensor.cpu;

import io.penstock.tensor.AttentionShape;
import org.jspecify.annotations.Nullable;

/**
 * How attention is cut: blocks of {@link #ROWS} queries meet chunks of {@link #keys} keys, of which only those up to the block's last query are computed. Each
 * thread's area holds two tiles of scores (which become probabilities and their gradients in place), f32 sums for a chunk's keys and values and for a block's
 * queries, and three numbers a row.
 */
final class AttentionBlocks {
    static final int ROWS = 128;

    private static final int MOST_KEYS = 1024;
    private static final int LARGEST_HEAD = 1024;

    /** Floats from one row of scores to the next; not a power of two, whose rows would fight for the same cache lines. */
    static final long STRIDE = MOST_KEYS + 32;

    private static final long SCORES_BYTES = 4 * ROWS * STRIDE;
    private static final long KEY_SUMS_BYTES = 4L * MOST_KEYS * 128;
    private static final long QUERY_SUMS_BYTES = 4L * ROWS * LARGEST_HEAD;
    private static final long STATISTICS_BYTES = 4L * ROWS;
    private static final long LANES_BYTES = 8L * LARGEST_HEAD + 64;

    static final long BYTES =
            2 * SCORES_BYTES + 2 * KEY_SUMS_BYTES + QUERY_SUMS_BYTES + 2 * STATISTICS_BYTES + LANES_BYTES;

    /** One role's kernels by [last, shorter block of queries][blocks of keys, 0 for a whole chunk]. */
    static final class Kernels {
        private final @Nullable MatmulKernel[] full = new @Nullable MatmulKernel[MOST_KEYS / ROWS + 1];
        private final @Nullable MatmulKernel[] last = new @Nullable MatmulKernel[MOST_KEYS / ROWS + 1];

        void set(int rows, int slot, MatmulKernel kernel) {
            (rows == ROWS ? full : last)[slot] = kernel;
        }

        MatmulKernel get(int rows, int slot) {
            MatmulKernel kernel = (rows == ROWS ? full : last)[slot];
            if (kernel == null) {
                throw new IllegalStateException("no attention product for " + rows + " queries, slot " + slot);
            }
            return kernel;
        }
    }

    /** Makes the kernels for blocks of {@code rows} queries and {@code n} keys. */
    interface Maker {
        void make(int rows, int n, int slot);
    }

    private AttentionBlocks() {}

    /** Keys of a chunk: as many as leave room for their sums. */
    static int keys(int headSize) {
        if (headSize > LARGEST_HEAD) {
            throw new IllegalStateException("head size " + headSize + " > " + LARGEST_HEAD + " of the cpu backend");
        }
        return headSize <= 128 ? MOST_KEYS : MOST_KEYS * 128 / headSize / ROWS * ROWS;
    }

    static int blocks(int sequence) {
        return (sequence + ROWS - 1) / ROWS;
    }

    /** Keys of the chunk at {@code chunkStart} that the block of queries needs. */
    static int keyCount(int blockStart, int rows, int chunkStart, int chunk) {
        return Math.min(chunk, blockStart + rows - chunkStart);
    }

    static int slot(int n, int chunk) {
        return n == chunk ? 0 : (n + ROWS - 1) / ROWS;
    }

    /** Calls the maker for every pair of block and chunk that meets; kernels of equal sizes come from the cache. */
    static void plan(AttentionShape shape, Maker maker) {
        int chunk = keys(shape.headSize());
        int sequence = shape.sequence();
        int full = sequence / ROWS * ROWS;
        for (int start = 0; start < Math.min(full, chunk); start += ROWS) {
            int n = start + ROWS;
            maker.make(ROWS, n, slot(n, chunk));
        }
        if (full < sequence) {
            int rows = sequence - full;
            int lastChunk = full / chunk * chunk;
            int n = keyCount(full, rows, lastChunk, chunk);
            maker.make(rows, n, slot(n, chunk));
            if (lastChunk > 0) {
                maker.make(rows, chunk, 0);
            }
        }
    }

    // ---- places in a thread's area ----

    static long scores(long area) {
        return area;
    }

    static long scoreGradients(long area) {
        return area + SCORES_BYTES;
    }

    static long keySums(long area) {
        return area + 2 * SCORES_BYTES;
    }

    /** Forward, which sums nothing there: a chunk's values, where they have to be packed. */
    static long packedValues(long area) {
        return keySums(area);
    }

    /** Backward, where the probabilities of a block were: the keys that it meets, where they have to be packed. They are at most {@link #keys} rows, less than a tile of scores. */
    static long packedKeys(long area) {
        return scores(area);
    }

    static long valueSums(long area) {
        return keySums(area) + KEY_SUMS_BYTES;
    }

    static long querySums(long area) {
        return valueSums(area) + KEY_SUMS_BYTES;
    }

    /** Running maxima of the block's rows. */
    static long maxima(long area) {
        return querySums(area) + QUERY_SUMS_BYTES;
    }

    /** Running sums of exponentials of the block's rows. */
    static long totals(long area) {
        return maxima(area) + STATISTICS_BYTES;
    }

    /** Two heads of one row, and one vector for folding. */
    static long lanes(long area) {
        return totals(area) + STATISTICS_BYTES;
    }
}
