package io.penstock.tensor.cpu;

import jdk.incubator.vector.FloatVector;

/** The loops of {@link CrossEntropy} over one row of logits. */
final class VectorLoss {
    private VectorLoss() {}

    static float maximum(long x, long n) {
        long bound = Lanes.bound(n);
        float max = VectorSoftmax.maximum(x, (int) bound);
        for (long i = bound; i < n; i++) {
            float v = Lanes.getF32(x, i);
            max = v > max ? v : max;
        }
        return max;
    }

    /** y = e^(x - max), its sum returned; y may be x. */
    static float exponentials(long y, long x, float max, long n, long lanes) {
        FloatVector total = FloatVector.zero(Lanes.FLOATS);
        long bound = Lanes.bound(n);
        for (long i = 0; i < bound; i += Lanes.COUNT) {
            FloatVector e = Exp.two(Lanes.loadF32(x + 4 * i).sub(max).mul(Exp.LOG2E));
            total = total.add(e);
            Lanes.storeF32(y + 4 * i, e);
        }
        Lanes.storeF32(lanes, total);
        float sum = Lanes.foldF32(lanes);
        for (long i = bound; i < n; i++) {
            float e = Exp.two((Lanes.getF32(x, i) - max) * Exp.LOG2E);
            sum += e;
            Lanes.putF32(y, i, e);
        }
        return sum;
    }

    /** Sum of e^(x - max). */
    static float sumOfExponentials(long x, float max, long n, long lanes) {
        FloatVector total = FloatVector.zero(Lanes.FLOATS);
        long bound = Lanes.bound(n);
        for (long i = 0; i < bound; i += Lanes.COUNT) {
            total = total.add(Exp.two(Lanes.loadF32(x + 4 * i).sub(max).mul(Exp.LOG2E)));
        }
        Lanes.storeF32(lanes, total);
        float sum = Lanes.foldF32(lanes);
        for (long i = bound; i < n; i++) {
            sum += Exp.two((Lanes.getF32(x, i) - max) * Exp.LOG2E);
        }
        return sum;
    }

    /** y = e^(x - max) * factor; y may be x. */
    static void probabilities(long y, long x, float max, float factor, long n) {
        long bound = Lanes.bound(n);
        for (long i = 0; i < bound; i += Lanes.COUNT) {
            FloatVector e = Exp.two(Lanes.loadF32(x + 4 * i).sub(max).mul(Exp.LOG2E));
            Lanes.storeF32(y + 4 * i, e.mul(factor));
        }
        for (long i = bound; i < n; i++) {
            Lanes.putF32(y, i, Exp.two((Lanes.getF32(x, i) - max) * Exp.LOG2E) * factor);
        }
    }

    /** y (BF16) = x (F32) * factor; they may start at the same address. */
    static void scaleToBf16(long y, long x, float factor, long n) {
        long bound = Lanes.bound(n);
        for (long i = 0; i < bound; i += Lanes.COUNT) {
            Lanes.storeBf16(y + 2 * i, Lanes.loadF32(x + 4 * i).mul(factor));
        }
        for (long i = bound; i < n; i++) {
            Lanes.putBf16(y, i, Lanes.getF32(x, i) * factor);
        }
    }
}
