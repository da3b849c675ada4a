package io.penstock.engine.device;

import io.penstock.engine.tensorparallel.ElementSum;
import io.penstock.tensor.Backend;
import io.penstock.tensor.DType;
import io.penstock.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.EnumMap;
import java.util.Map;

/** What {@link io.penstock.tensor.cpu.RankSum} does, by the device: sums in the order of ranks, in F32, rounded once. */
public final class DeviceRankSum implements ElementSum {
    private final Backend backend;
    private final Tensor scratch;
    private final SegmentViews floats = new SegmentViews(DType.F32);
    private final Map<DType, SegmentViews> views = new EnumMap<>(Map.of(
            DType.F32, floats, DType.BF16, new SegmentViews(DType.BF16), DType.F16, new SegmentViews(DType.F16)));

    /** {@code scratch}: F32 of the device, borrowed. */
    public DeviceRankSum(Backend backend, Tensor scratch) {
        this.backend = backend;
        this.scratch = scratch;
    }

    @Override
    public void sum(
            DType dtype, MemorySegment destination, long offset, MemorySegment[] sources, long[] offsets, long bytes) {
        SegmentViews of = views.get(dtype);
        if (of == null) {
            throw new IllegalStateException("ranks sum F32, BF16 and F16, not " + dtype);
        }
        // A sum of two is rounded once anyway, and one of floats is the same wherever it is made.
        boolean wide = dtype == DType.F32 || sources.length == 2;
        long most = wide ? bytes : scratch.elements() * dtype.bytes();
        for (long from = 0; from < bytes; from += most) {
            long length = Math.min(most, bytes - from);
            Tensor first = of.of(sources[0], offsets[0] + from, length);
            Tensor sum = wide ? first : floats.of(scratch.segment(), 0, length / dtype.bytes() * Float.BYTES);
            if (!wide) {
                backend.copy(sum, first);
            }
            for (int i = 1; i < sources.length; i++) {
                backend.add(sum, of.of(sources[i], offsets[i] + from, length));
            }
            Tensor to = of.of(destination, offset + from, length);
            if (to != sum) {
                backend.copy(to, sum);
            }
        }
    }
}
