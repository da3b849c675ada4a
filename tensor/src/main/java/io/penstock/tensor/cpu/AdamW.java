package io.penstock.tensor.cpu;

import io.penstock.tensor.DType;
import io.penstock.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** The update of {@link io.penstock.tensor.Backend#adamW} in one pass over memory: read w, m, v, g; write w, m, v, g = 0 and the working copy. */
final class AdamW implements Tiles {
    private static final long PIECE = 1 << 14;

    private final Workers workers;

    private long w;
    private long m;
    private long v;
    private long g;
    private long working;
    private long elements;
    private DType type = DType.F32;
    private final VectorAdamW.Rates rates = new VectorAdamW.Rates();

    AdamW(Workers workers) {
        this.workers = workers;
    }

    void run(
            Tensor weight,
            Tensor m,
            Tensor v,
            Tensor gradient,
            @Nullable Tensor working,
            float learningRate,
            float beta1,
            float beta2,
            float eps,
            float weightDecay,
            float correction1,
            float correction2,
            float gradientScale) {
        w = weight.address();
        this.m = m.address();
        this.v = v.address();
        g = gradient.address();
        this.working = 0;
        if (working != null) {
            this.working = working.address();
            type = Lanes.type(working);
        }
        elements = weight.elements();
        rates.beta1 = beta1;
        rates.beta2 = beta2;
        rates.eps = eps;
        rates.keep = 1 - learningRate * weightDecay;
        rates.step = learningRate / correction1;
        rates.correction2 = correction2;
        rates.gradientScale = gradientScale;
        workers.run(this, Math.toIntExact((elements + PIECE - 1) / PIECE));
    }

    @Override
    public void run(int tile, int thread) {
        long from = tile * PIECE;
        long n = Math.min(PIECE, elements - from);
        VectorAdamW.update(w + 4 * from, m + 4 * from, v + 4 * from, g + 4 * from, n, rates);
        if (working != 0) {
            // the tile's weights are still in cache
            long to = working + from * type.bytes();
            if (type == DType.F32) {
                MemorySegment.copy(Lanes.ALL, w + 4 * from, Lanes.ALL, to, 4 * n);
            } else {
                Halves.narrow(type, to, w + 4 * from, n);
            }
        }
    }
}
