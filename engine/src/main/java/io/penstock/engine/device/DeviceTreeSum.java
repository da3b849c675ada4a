package io.penstock.engine.device;

import io.penstock.tensor.Backend;
import io.penstock.tensor.DType;
import io.penstock.transport.Reducer;
import java.lang.foreign.MemorySegment;

/** The sum over replicas by the device, in the tree that {@link io.penstock.engine.sharding.DataGroup} takes on the host. Uses the sources' memory for partial sums. */
public final class DeviceTreeSum implements Reducer {
    private final Backend backend;
    private final SegmentViews views = new SegmentViews(DType.F32);

    public DeviceTreeSum(Backend backend) {
        this.backend = backend;
    }

    @Override
    public int elementBytes() {
        return Float.BYTES;
    }

    @Override
    public void reduce(
            MemorySegment destination, long offset, MemorySegment[] sources, long[] sourceOffsets, long length) {
        for (int distance = 1; distance < sources.length; distance *= 2) {
            for (int i = 0; i < sources.length; i += 2 * distance) {
                backend.add(
                        views.of(sources[i], sourceOffsets[i], length),
                        views.of(sources[i + distance], sourceOffsets[i + distance], length));
            }
        }
        boolean inPlace = sources[0] == destination && sourceOffsets[0] == offset;
        if (!inPlace) {
            backend.copy(views.of(destination, offset, length), views.of(sources[0], sourceOffsets[0], length));
        }
    }
}
