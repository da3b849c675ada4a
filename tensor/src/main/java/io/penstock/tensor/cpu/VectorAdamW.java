package io.penstock.tensor.cpu;

import jdk.incubator.vector.FloatVector;

/** The loop of {@link AdamW}. */
final class VectorAdamW {
    /** The numbers of one update: set for each, so that nothing is allocated. */
    static final class Rates {
        float beta1;
        float beta2;
        float eps;

        /** 1 - learningRate * weightDecay. */
        float keep;

        /** learningRate / correction1. */
        float step;

        float correction2;
        float gradientScale;
    }

    private VectorAdamW() {}

    static void update(long w, long m, long v, long g, long n, Rates rates) {
        float beta1 = rates.beta1;
        float beta2 = rates.beta2;
        float keep = rates.keep;
        float step = rates.step;
        float eps = rates.eps;
        float scale = rates.gradientScale;
        float correction = rates.correction2;
        long bound = Lanes.bound(n);
        FloatVector zero = FloatVector.zero(Lanes.FLOATS);
        for (long i = 0; i < bound; i += Lanes.COUNT) {
            long at = 4 * i;
            FloatVector gradient = Lanes.loadF32(g + at).mul(scale);
            FloatVector first = Lanes.loadF32(m + at).mul(beta1).add(gradient.mul(1 - beta1));
            FloatVector second =
                    Lanes.loadF32(v + at).mul(beta2).add(gradient.mul(gradient).mul(1 - beta2));
            FloatVector root = second.div(correction).sqrt().add(eps);
            Lanes.storeF32(
                    w + at, Lanes.loadF32(w + at).mul(keep).sub(first.mul(step).div(root)));
            Lanes.storeF32(m + at, first);
            Lanes.storeF32(v + at, second);
            Lanes.storeF32(g + at, zero);
        }
        for (long i = bound; i < n; i++) {
            float gradient = Lanes.getF32(g, i) * scale;
            float first = Lanes.getF32(m, i) * beta1 + gradient * (1 - beta1);
            float second = Lanes.getF32(v, i) * beta2 + gradient * gradient * (1 - beta2);
            float root = (float) Math.sqrt(second / correction) + eps;
            Lanes.putF32(w, i, Lanes.getF32(w, i) * keep - first * step / root);
            Lanes.putF32(m, i, first);
            Lanes.putF32(v, i, second);
            Lanes.putF32(g, i, 0);
        }
    }
}
