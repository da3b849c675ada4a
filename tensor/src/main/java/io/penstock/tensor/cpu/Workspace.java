package io.penstock.tensor.cpu;

import io.penstock.tensor.HostMemory;

/** The one block of native memory behind all kernels: an area shared by an operation's tiles, and areas of each thread. */
final class Workspace implements AutoCloseable {
    /** Partial sums of row blocks. */
    static final long SHARED_BYTES = 2L << 20;

    /** What oneDNN asks for its largest tile (copies of blocks of both factors), with room. */
    static final long MATMUL_BYTES = 3L << 20;

    static final long ATTENTION_BYTES = AttentionBlocks.BYTES;

    /** One vector that a kernel folds its sums through. */
    private static final long LANES_BYTES = 4096;

    private static final long THREAD_BYTES = MATMUL_BYTES + ATTENTION_BYTES + LANES_BYTES;

    private final HostMemory memory;
    private final long bytes;
    private final long base;

    Workspace(int threads) {
        bytes = SHARED_BYTES + threads * THREAD_BYTES;
        memory = new HostMemory(bytes);
        base = memory.segment().address();
    }

    long bytes() {
        return bytes;
    }

    long shared() {
        return base;
    }

    long matmul(int thread) {
        return base + SHARED_BYTES + thread * THREAD_BYTES;
    }

    long attention(int thread) {
        return matmul(thread) + MATMUL_BYTES;
    }

    long lanes(int thread) {
        return attention(thread) + ATTENTION_BYTES;
    }

    @Override
    public void close() {
        memory.close();
    }
}
