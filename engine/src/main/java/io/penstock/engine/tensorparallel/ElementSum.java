package io.penstock.engine.tensorparallel;

import io.penstock.tensor.DType;
import java.lang.foreign.MemorySegment;

/** Sums of what several ranks hold, in their order, in the accumulator type and rounded once: by the host or by a device. */
@FunctionalInterface
public interface ElementSum {
    /** Overwrites {@code bytes} of the destination, which may be the very memory of one source at the same offset; sources may be spoilt. */
    void sum(DType dtype, MemorySegment destination, long offset, MemorySegment[] sources, long[] offsets, long bytes);
}
