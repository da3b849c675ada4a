package io.penstock.transport;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** f32 in rank order, the plainest way. */
record F32Sum(boolean keepsSources) implements Reducer {
    @Override
    public int elementBytes() {
        return 4;
    }

    @Override
    public void reduce(MemorySegment to, long at, MemorySegment[] sources, long[] offsets, long length) {
        for (long i = 0; i < length; i += 4) {
            float sum = sources[0].get(ValueLayout.JAVA_FLOAT, offsets[0] + i);
            for (int s = 1; s < sources.length; s++) {
                sum += sources[s].get(ValueLayout.JAVA_FLOAT, offsets[s] + i);
            }
            to.set(ValueLayout.JAVA_FLOAT, at + i, sum);
        }
    }
}
