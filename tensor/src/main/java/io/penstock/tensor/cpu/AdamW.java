package io.penstock.tensor.cpu;

import io.penstock.tensor.Tensor;
import jdk.incubator.vector.FloatVector;
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
    private boolean half;
    private float beta1;
    private float beta2;
    private float eps;

    /** 1 - learningRate * weightDecay. */
    private float keep;

    /** learningRate / correction1. */
    private float step;

    private float correction2;
    private float gradientScale;

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
            half = Lanes.half(working);
        }
        elements = weight.elements();
        this.beta1 = beta1;
        this.beta2 = beta2;
        this.eps = eps;
        keep = 1 - learningRate * weightDecay;
        step = learningRate / correction1;
        this.correction2 = correction2;
        this.gradientScale = gradientScale;
        workers.run(this, Math.toIntExact((elements + PIECE - 1) / PIECE));
    }

    @Override
    public void run(int tile, int thread) {
        long from = tile * PIECE;
        long n = Math.min(PIECE, elements - from);
        long bound = Lanes.bound(n);
        update(w + 4 * from, m + 4 * from, v + 4 * from, g + 4 * from, bound);
        updateTail(w + 4 * from, m + 4 * from, v + 4 * from, g + 4 * from, bound, n);
        if (working != 0) {
            refresh(working + from * Lanes.bytes(half), w + 4 * from, n, half);
        }
    }

    private void update(long w, long m, long v, long g, long n) {
        float b1 = beta1;
        float b2 = beta2;
        float kept = keep;
        float stepSize = step;
        float epsilon = eps;
        float scale = gradientScale;
        float correction = correction2;
        FloatVector zero = FloatVector.zero(Lanes.FLOATS);
        for (long i = 0; i < n; i += Lanes.COUNT) {
            long at = 4 * i;
            FloatVector gradient = Lanes.loadF32(g + at).mul(scale);
            FloatVector first = Lanes.loadF32(m + at).mul(b1).add(gradient.mul(1 - b1));
            FloatVector second =
                    Lanes.loadF32(v + at).mul(b2).add(gradient.mul(gradient).mul(1 - b2));
            FloatVector root = second.div(correction).sqrt().add(epsilon);
            Lanes.storeF32(
                    w + at,
                    Lanes.loadF32(w + at).mul(kept).sub(first.mul(stepSize).div(root)));
            Lanes.storeF32(m + at, first);
            Lanes.storeF32(v + at, second);
            Lanes.storeF32(g + at, zero);
        }
    }

    private void updateTail(long w, long m, long v, long g, long from, long n) {
        for (long i = from; i < n; i++) {
            float gradient = Lanes.getF32(g, i) * gradientScale;
            float first = Lanes.getF32(m, i) * beta1 + gradient * (1 - beta1);
            float second = Lanes.getF32(v, i) * beta2 + gradient * gradient * (1 - beta2);
            float root = (float) Math.sqrt(second / correction2) + eps;
            Lanes.putF32(w, i, Lanes.getF32(w, i) * keep - first * step / root);
            Lanes.putF32(m, i, first);
            Lanes.putF32(v, i, second);
            Lanes.putF32(g, i, 0);
        }
    }

    /** The tile's weights are still in cache. */
    private static void refresh(long working, long w, long n, boolean half) {
        long bound = Lanes.bound(n);
        for (long i = 0; i < bound; i += Lanes.COUNT) {
            Lanes.store(half, working, i, Lanes.loadF32(w + 4 * i));
        }
        for (long i = bound; i < n; i++) {
            Lanes.put(half, working, i, Lanes.getF32(w, i));
        }
    }
}
