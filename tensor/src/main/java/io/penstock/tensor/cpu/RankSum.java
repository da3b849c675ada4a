package io.penstock.tensor.cpu;

import io.penstock.tensor.DType;
import java.lang.foreign.MemorySegment;

/**
 * Element-wise sums of what several ranks hold, in their order: F32 in F32, BF16 and F16 widened to F32, summed and rounded once. One thread at a time; host memory only.
 */
public final class RankSum {
    /** Of the scratch that it works in. */
    public static final long SCRATCH_BYTES = 2 * Workspace.PIECE_BYTES;

    private final long scratch;

    /** {@code scratch}: {@link #SCRATCH_BYTES} of native memory, borrowed. */
    public RankSum(MemorySegment scratch) {
        if (scratch.byteSize() < SCRATCH_BYTES) {
            throw new IllegalArgumentException(
                    "scratch of " + scratch.byteSize() + " bytes, expected " + SCRATCH_BYTES);
        }
        this.scratch = scratch.address();
    }

    /** Overwrites {@code bytes} of the destination with the sum of all sources; it may be the very memory of one of them, at the same offset. */
    public void sum(
            DType dtype, MemorySegment destination, long offset, MemorySegment[] sources, long[] offsets, long bytes) {
        if (!dtype.isHalf() && dtype != DType.F32) {
            throw new IllegalStateException("ranks sum F32, BF16 and F16, not " + dtype);
        }
        int width = dtype.bytes();
        long elements = bytes / width;
        long to = destination.address() + offset;
        for (long from = 0; from < elements; from += Workspace.PIECE) {
            long n = Math.min(Workspace.PIECE, elements - from);
            long sum = scratch;
            Halves.toF32(dtype, sum, sources[0].address() + offsets[0] + from * width, n);
            for (int i = 1; i < sources.length; i++) {
                long term = sources[i].address() + offsets[i] + from * width;
                Vectors.add(sum, sum, Halves.read(dtype, term, scratch + Workspace.PIECE_BYTES, n), n);
            }
            Halves.fromF32(dtype, to + from * width, sum, n);
        }
    }
}
