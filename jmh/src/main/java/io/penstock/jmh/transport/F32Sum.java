package io.penstock.jmh.transport;

import io.penstock.transport.Reducer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/** f32 of two ranks or more in their order, in blocks whose partial sums stay in the first cache. */
final class F32Sum implements Reducer {
    private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();
    private static final long BLOCK_BYTES = 8 << 10;

    private final MemorySegment partial = Arena.ofAuto().allocate(BLOCK_BYTES, 64);

    @Override
    public int elementBytes() {
        return Float.BYTES;
    }

    @Override
    public boolean keepsSources() {
        return true;
    }

    @Override
    public void reduce(MemorySegment to, long at, MemorySegment[] sources, long[] offsets, long length) {
        int last = sources.length - 1;
        for (long from = 0; from < length; from += BLOCK_BYTES) {
            long bytes = Math.min(BLOCK_BYTES, length - from);
            MemorySegment sum = sources[0];
            long sumAt = offsets[0] + from;
            for (int s = 1; s < last; s++) {
                add(sum, sumAt, sources[s], offsets[s] + from, partial, 0, bytes);
                sum = partial;
                sumAt = 0;
            }
            add(sum, sumAt, sources[last], offsets[last] + from, to, at + from, bytes);
        }
    }

    /** to = a + b */
    private static void add(
            MemorySegment a, long aAt, MemorySegment b, long bAt, MemorySegment to, long at, long bytes) {
        long i = 0;
        for (; i + SPECIES.vectorByteSize() <= bytes; i += SPECIES.vectorByteSize()) {
            FloatVector.fromMemorySegment(SPECIES, a, aAt + i, ORDER)
                    .add(FloatVector.fromMemorySegment(SPECIES, b, bAt + i, ORDER))
                    .intoMemorySegment(to, at + i, ORDER);
        }
        for (; i < bytes; i += Float.BYTES) {
            float sum = a.get(ValueLayout.JAVA_FLOAT, aAt + i) + b.get(ValueLayout.JAVA_FLOAT, bAt + i);
            to.set(ValueLayout.JAVA_FLOAT, at + i, sum);
        }
    }
}
