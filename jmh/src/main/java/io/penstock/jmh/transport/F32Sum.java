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
    private static final int STREAMS = 3;

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
        for (long from = 0; from < length; from += BLOCK_BYTES) {
            long bytes = Math.min(BLOCK_BYTES, length - from);
            MemorySegment sum = sources[0];
            long sumAt = offsets[0] + from;
            for (int next = 1; next < sources.length; ) {
                boolean several = sources.length - next >= STREAMS;
                int end = next + (several ? STREAMS : 1);
                boolean isLast = end == sources.length;
                MemorySegment target = isLast ? to : partial;
                long targetAt = isLast ? at + from : 0;
                if (several) {
                    add(sum, sumAt, sources, offsets, next, from, target, targetAt, bytes);
                } else {
                    add(sum, sumAt, sources[next], offsets[next] + from, target, targetAt, bytes);
                }
                sum = target;
                sumAt = targetAt;
                next = end;
            }
        }
    }

    /** to = a + b */
    private static void add(
            MemorySegment a, long aAt, MemorySegment b, long bAt, MemorySegment to, long at, long bytes) {
        long i = 0;
        for (; i + SPECIES.vectorByteSize() <= bytes; i += SPECIES.vectorByteSize()) {
            vector(a, aAt + i).add(vector(b, bAt + i)).intoMemorySegment(to, at + i, ORDER);
        }
        for (; i < bytes; i += Float.BYTES) {
            to.set(ValueLayout.JAVA_FLOAT, at + i, number(a, aAt + i) + number(b, bAt + i));
        }
    }

    /** to = ((a + b) + c) + d, where b, c and d are the sources from a number on: three streams from memory hide more of its latency than one. */
    private static void add(
            MemorySegment a,
            long aAt,
            MemorySegment[] sources,
            long[] offsets,
            int first,
            long from,
            MemorySegment to,
            long at,
            long bytes) {
        MemorySegment b = sources[first];
        MemorySegment c = sources[first + 1];
        MemorySegment d = sources[first + 2];
        long bAt = offsets[first] + from;
        long cAt = offsets[first + 1] + from;
        long dAt = offsets[first + 2] + from;
        long i = 0;
        for (; i + SPECIES.vectorByteSize() <= bytes; i += SPECIES.vectorByteSize()) {
            vector(a, aAt + i)
                    .add(vector(b, bAt + i))
                    .add(vector(c, cAt + i))
                    .add(vector(d, dAt + i))
                    .intoMemorySegment(to, at + i, ORDER);
        }
        for (; i < bytes; i += Float.BYTES) {
            float sum = number(a, aAt + i) + number(b, bAt + i) + number(c, cAt + i) + number(d, dAt + i);
            to.set(ValueLayout.JAVA_FLOAT, at + i, sum);
        }
    }

    private static FloatVector vector(MemorySegment memory, long at) {
        return FloatVector.fromMemorySegment(SPECIES, memory, at, ORDER);
    }

    private static float number(MemorySegment memory, long at) {
        return memory.get(ValueLayout.JAVA_FLOAT, at);
    }
}
