package io.penstock.jmh.transport;

import io.penstock.transport.Reducer;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/** f32 in rank order. */
final class F32Sum implements Reducer {
    private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();

    @Override
    public int elementBytes() {
        return Float.BYTES;
    }

    @Override
    public void reduce(MemorySegment to, long at, MemorySegment[] sources, long[] offsets, long length) {
        long i = 0;
        for (; i + SPECIES.vectorByteSize() <= length; i += SPECIES.vectorByteSize()) {
            FloatVector sum = FloatVector.fromMemorySegment(SPECIES, sources[0], offsets[0] + i, ORDER);
            for (int s = 1; s < sources.length; s++) {
                sum = sum.add(FloatVector.fromMemorySegment(SPECIES, sources[s], offsets[s] + i, ORDER));
            }
            sum.intoMemorySegment(to, at + i, ORDER);
        }
        for (; i < length; i += Float.BYTES) {
            float sum = sources[0].get(ValueLayout.JAVA_FLOAT, offsets[0] + i);
            for (int s = 1; s < sources.length; s++) {
                sum += sources[s].get(ValueLayout.JAVA_FLOAT, offsets[s] + i);
            }
            to.set(ValueLayout.JAVA_FLOAT, at + i, sum);
        }
    }
}
