package io.penstock.engine.tensorparallel;

import io.penstock.tensor.DType;
import io.penstock.transport.Reducer;
import java.lang.foreign.MemorySegment;

/** Sums rows of one dtype and size; shards are cut between rows. */
record RowReducer(ElementSum sum, DType dtype, int elementBytes) implements Reducer {
    @Override
    public void reduce(
            MemorySegment destination, long offset, MemorySegment[] sources, long[] sourceOffsets, long length) {
        sum.sum(dtype, destination, offset, sources, sourceOffsets, length);
    }
}
