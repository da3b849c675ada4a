package io.penstock.tensor.cpu;

import io.penstock.tensor.HostMemory;

/** The one block of native memory behind all kernels: an area shared by an operation's tiles, and areas of each thread. */
final class Workspace implements AutoCloseable {
    /** Partial sums of row blocks. */
    static final long SHARED_BYTES = 2L << 20;

    /** What oneDNN asks for its largest tile (copies of blocks of both factors), with room. */
    static final long MATMUL_BYTES = 3L << 20;

    /** Attention's tiles, or the rows that another operation works on. */
    static final long AREA_BYTES = AttentionBlocks.BYTES;

    /** One vector that a kernel folds its sums through. */
    private static final long LANES_BYTES = 4096;

    /** Elements that kernels take at a time where they go through F32 scratch: several such pieces fit the first cache. */
    static final long PIECE = 1024;

    static final long PIECE_BYTES = 4 * PIECE;

    private static final long THREAD_BYTES = MATMUL_BYTES + AREA_BYTES + LANES_BYTES;

    private final HostMemory memory;
    private final long base;

    Workspace(int threads) {
        memory = new HostMemory(bytes(threads));
        base = memory.segment().address();
    }

    static long bytes(int threads) {
        return SHARED_BYTES + threads * THREAD_BYTES;
    }

    long shared() {
        return base;
    }

    long matmul(int thread) {
        return base + SHARED_BYTES + thread * THREAD_BYTES;
    }

    long area(int thread) {
        return matmul(thread) + MATMUL_BYTES;
    }

    long lanes(int thread) {
        return area(thread) + AREA_BYTES;
    }

    /** Refuses rows of which a thread's area cannot hold {@code count} as F32. */
    void requireRows(int count, long columns) {
        if (4L * count * columns > AREA_BYTES) {
            throw new IllegalStateException("rows of " + columns + " > " + AREA_BYTES / 4 / count
                    + ", which is what a thread of the cpu backend has room for");
        }
    }

    @Override
    public void close() {
        memory.close();
    }
}
