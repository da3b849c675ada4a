package io.penstock.engine.device;

import io.penstock.engine.tensorparallel.ElementSum;
import io.penstock.tensor.Backend;
import io.penstock.tensor.DType;
import io.penstock.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.EnumMap;
import java.util.Map;

/** What {@link io.penstock.tensor.cpu.RankSum} does, by the device: sums in the order of ranks, in F32, rounded once, in one pass. */
public final class DeviceRankSum implements ElementSum {
    private final Backend backend;
    private final Tensor[] terms;
    private final Map<DType, SegmentViews> views = new EnumMap<>(Map.of(
            DType.F32,
            new SegmentViews(DType.F32),
            DType.BF16,
            new SegmentViews(DType.BF16),
            DType.F16,
            new SegmentViews(DType.F16)));

    /** Over so many {@code ranks}. */
    public DeviceRankSum(Backend backend, int ranks) {
        this.backend = backend;
        this.terms = new Tensor[ranks];
    }

    @Override
    public void sum(
            DType dtype, MemorySegment destination, long offset, MemorySegment[] sources, long[] offsets, long bytes) {
        SegmentViews of = views.get(dtype);
        if (of == null) {
            throw new IllegalStateException("ranks sum F32, BF16 and F16, not " + dtype);
        }
        for (int i = 0; i < terms.length; i++) {
            terms[i] = of.of(sources[i], offsets[i], bytes);
        }
        backend.addAll(of.of(destination, offset, bytes), terms);
    }
}
