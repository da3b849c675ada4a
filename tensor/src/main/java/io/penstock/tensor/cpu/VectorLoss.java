package io.penstock.tensor.cpu;

import jdk.incubator.vector.FloatVector;

/** The loops of {@link CrossEntropy} over one row of logits. */
final class VectorLoss {
    private VectorLoss() {}

    static float maximum(long x, long n) {
        long bound = Lanes.bound(n);
        float max = VectorSoftmax.maximum(x, (int) bound);
        for (long i = bound; i < n; i++) {
            max = Math.max(max, Lanes.getF32(x, i));
        }
        return max;
    }

    static float exponentials(long x, float max, long n, long lanes) {
        FloatVector total = FloatVector.zero(Lanes.FLOATS);
        long bound = Lanes.bound(n);
        for (long i = 0; i < bound; i += Lanes.COUNT) {
            total = total.add(Exp.of(Lanes.loadF32(x + 4 * i).sub(max)));
        }
        total.intoMemorySegment(Lanes.ALL, lanes, Lanes.ORDER);
        float sum = Lanes.foldF32(lanes);
        for (long i = bound; i < n; i++) {
            sum += Exp.of(Lanes.getF32(x, i) - max);
        }
        return sum;
    }

    static void probabilities(long y, long x, float max, float factor, long n) {
        long bound = Lanes.bound(n);
        for (long i = 0; i < bound; i += Lanes.COUNT) {
            Lanes.storeF32(y + 4 * i, Exp.of(Lanes.loadF32(x + 4 * i).sub(max)).mul(factor));
        }
        for (long i = bound; i < n; i++) {
            Lanes.putF32(y, i, Exp.of(Lanes.getF32(x, i) - max) * factor);
        }
    }
}
