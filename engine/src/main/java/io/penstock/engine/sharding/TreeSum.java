package io.penstock.engine.sharding;

import io.penstock.transport.Reducer;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * F32 sums as a balanced binary tree over a power of two of sources, ((0 + 1) + (2 + 3)) + ...: the lowest levels of the tree that {@link
 * io.penstock.partitioner.Sharding} describes. Uses the sources' memory for partial sums.
 */
public final class TreeSum implements Reducer {
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT;
    private static final int PIECE_BYTES = 1 << 20;

    @Override
    public int elementBytes() {
        return Float.BYTES;
    }

    @Override
    public void reduce(
            MemorySegment destination, long offset, MemorySegment[] sources, long[] sourceOffsets, long length) {
        for (long from = 0; from < length; from += PIECE_BYTES) {
            int elements = Math.toIntExact(Math.min(PIECE_BYTES, length - from) / Float.BYTES);
            for (int distance = 1; distance < sources.length; distance *= 2) {
                for (int i = 0; i < sources.length; i += 2 * distance) {
                    add(
                            sources[i],
                            sourceOffsets[i] + from,
                            sources[i + distance],
                            sourceOffsets[i + distance] + from,
                            elements);
                }
            }
            boolean inPlace = sources[0] == destination && sourceOffsets[0] == offset;
            if (!inPlace) {
                MemorySegment.copy(
                        sources[0], sourceOffsets[0] + from, destination, offset + from, (long) elements * Float.BYTES);
            }
        }
    }

    /** a += b */
    private static void add(MemorySegment a, long aOffset, MemorySegment b, long bOffset, int elements) {
        for (int i = 0; i < elements; i++) {
            long at = (long) i * Float.BYTES;
            a.set(FLOAT, aOffset + at, a.get(FLOAT, aOffset + at) + b.get(FLOAT, bOffset + at));
        }
    }
}
