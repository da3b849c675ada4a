package io.penstock.engine.sharding;

import io.penstock.tensor.cpu.PairwiseSum;
import io.penstock.transport.Reducer;
import java.lang.foreign.MemorySegment;

/** The sum over replicas by the host: the lowest levels of the tree that {@link io.penstock.partitioner.Sharding} describes. */
public record TreeSum(PairwiseSum sum) implements Reducer {
    @Override
    public int elementBytes() {
        return Float.BYTES;
    }

    @Override
    public boolean keepsSources() {
        return true;
    }

    @Override
    public void reduce(
            MemorySegment destination, long offset, MemorySegment[] sources, long[] sourceOffsets, long length) {
        sum.sum(destination, offset, sources, sourceOffsets, length);
    }
}
