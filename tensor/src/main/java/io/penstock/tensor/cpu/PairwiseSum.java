package io.penstock.tensor.cpu;

import java.lang.foreign.MemorySegment;

/**
 * F32 sums of what a power of two of ranks hold, as a balanced binary tree, ((0 + 1) + (2 + 3)) + ... (pairwise summation, Higham 1993). Only reads its sources. One thread at a
 * time; host memory only.
 */
public final class PairwiseSum {
    private final long scratch;
    private final int ranks;

    /** {@code scratch}: 4 KiB of native memory for each level of the tree over {@code ranks}, borrowed. */
    public PairwiseSum(MemorySegment scratch, int ranks) {
        if (ranks < 2 || Integer.bitCount(ranks) != 1) {
            throw new IllegalArgumentException(ranks + " ranks, expected a power of two from 2 on");
        }
        long expected = Integer.numberOfTrailingZeros(ranks) * Workspace.PIECE_BYTES;
        if (scratch.byteSize() < expected) {
            throw new IllegalArgumentException("scratch of " + scratch.byteSize() + " bytes, expected " + expected);
        }
        this.scratch = scratch.address();
        this.ranks = ranks;
    }

    /** Overwrites {@code bytes} of the destination with the sum of all sources; it may be the very memory of one of them, at the same offset. */
    public void sum(MemorySegment destination, long offset, MemorySegment[] sources, long[] offsets, long bytes) {
        if (sources.length != ranks) {
            throw new IllegalArgumentException(sources.length + " sources, expected " + ranks);
        }
        int half = ranks / 2;
        long to = destination.address() + offset;
        long elements = bytes / Float.BYTES;
        for (long from = 0; from < elements; from += Workspace.PIECE) {
            long n = Math.min(Workspace.PIECE, elements - from);
            long at = from * Float.BYTES;
            // Nothing is written to the destination before all sources of these elements were read.
            long left = subtree(sources, offsets, 0, half, at, n, 0);
            long right = subtree(sources, offsets, half, half, at, n, 1);
            Vectors.add(to + at, left, right, n);
        }
    }

    /** Where the sum of {@code count} sources is: the source itself, or the slot; uses the slots from there on. */
    private long subtree(MemorySegment[] sources, long[] offsets, int first, int count, long at, long n, int slot) {
        if (count == 1) {
            return sources[first].address() + offsets[first] + at;
        }
        long left = subtree(sources, offsets, first, count / 2, at, n, slot);
        long right = subtree(sources, offsets, first + count / 2, count / 2, at, n, slot + 1);
        long sum = scratch + slot * Workspace.PIECE_BYTES;
        Vectors.add(sum, left, right, n);
        return sum;
    }
}
