package io.penstock.tensor.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/** One row of attention scores, in the workspace: rows have room to the next whole vector. */
final class SoftmaxRow {
    private SoftmaxRow() {}

    /**
     * Turns the first {@code valid} of n scores at {@code row} into p = e^(scale (s - max)), in the compute type and in place, the others into 0. Updates the
     * row's running max and total; returns the factor by which what was summed under the old max shrinks.
     */
    static float forward(long row, int valid, int n, float scale, long maximum, long total, long lanes, boolean half) {
        mask(row, valid);
        float old = Lanes.getF32(maximum, 0);
        float max = Math.max(old, maximum(row, valid));
        float kept = Exp.of((old - max) * scale);
        float sum = probabilities(row, valid, scale, -max * scale, lanes, half);
        zeroRest(row, valid, n, half);
        Lanes.putF32(maximum, 0, max);
        Lanes.putF32(total, 0, Math.fma(Lanes.getF32(total, 0), kept, sum));
        return kept;
    }

    /** Minus infinity from {@code valid} to the end of its vector: there e^s is 0 and a maximum is of the others. */
    private static void mask(long row, int valid) {
        for (int i = valid; i % Lanes.COUNT != 0; i++) {
            Lanes.putF32(row, i, Float.NEGATIVE_INFINITY);
        }
    }

    private static float maximum(long row, int valid) {
        FloatVector most = FloatVector.broadcast(Lanes.FLOATS, Float.NEGATIVE_INFINITY);
        for (int i = 0; i < valid; i += Lanes.COUNT) {
            most = most.max(Lanes.loadF32(row + 4L * i));
        }
        return most.reduceLanes(VectorOperators.MAX);
    }

    private static float probabilities(long row, int valid, float scale, float offset, long lanes, boolean half) {
        FloatVector scales = FloatVector.broadcast(Lanes.FLOATS, scale);
        FloatVector offsets = FloatVector.broadcast(Lanes.FLOATS, offset);
        FloatVector sum = FloatVector.zero(Lanes.FLOATS);
        for (int i = 0; i < valid; i += Lanes.COUNT) {
            FloatVector p = Exp.of(Lanes.loadF32(row + 4L * i).fma(scales, offsets));
            sum = sum.add(p);
            Lanes.store(half, row, i, p);
        }
        Lanes.storeF32(lanes, sum);
        return Lanes.foldF32(lanes);
    }

    private static void zeroRest(long row, int valid, int n, boolean half) {
        int from = (valid + Lanes.COUNT - 1) / Lanes.COUNT * Lanes.COUNT;
        FloatVector zero = FloatVector.zero(Lanes.FLOATS);
        for (int i = from; i < n; i += Lanes.COUNT) {
            Lanes.store(half, row, i, zero);
        }
    }

    /**
     * From scores and dp = do v': p = e^(scale s - lse) in place of the scores, ds = scale p (dp - d) in place of dp, both in the compute type, 0 from {@code
     * valid} on.
     */
    static void backward(long scores, long dp, int valid, int n, float scale, float lse, float d, boolean half) {
        mask(scores, valid);
        gradients(scores, dp, valid, scale, -lse, d, half);
        zeroRest(scores, valid, n, half);
        zeroRest(dp, valid, n, half);
    }

    private static void gradients(long scores, long dp, int valid, float scale, float offset, float d, boolean half) {
        FloatVector scales = FloatVector.broadcast(Lanes.FLOATS, scale);
        FloatVector offsets = FloatVector.broadcast(Lanes.FLOATS, offset);
        for (int i = 0; i < valid; i += Lanes.COUNT) {
            FloatVector p = Exp.of(Lanes.loadF32(scores + 4L * i).fma(scales, offsets));
            FloatVector ds = Lanes.loadF32(dp + 4L * i).sub(d).mul(p.mul(scales));
            Lanes.store(half, scores, i, p);
            Lanes.store(half, dp, i, ds);
        }
    }

    /** x *= factor. */
    static void scale(long x, float factor, int n) {
        int bound = (int) Lanes.bound(n);
        for (int i = 0; i < bound; i += Lanes.COUNT) {
            Lanes.storeF32(x + 4L * i, Lanes.loadF32(x + 4L * i).mul(factor));
        }
        for (int i = bound; i < n; i++) {
            Lanes.putF32(x, i, Lanes.getF32(x, i) * factor);
        }
    }

    /** y = x * factor, to the compute type. */
    static void write(long y, long x, float factor, int n, boolean half) {
        int bound = (int) Lanes.bound(n);
        for (int i = 0; i < bound; i += Lanes.COUNT) {
            Lanes.store(half, y, i, Lanes.loadF32(x + 4L * i).mul(factor));
        }
        for (int i = bound; i < n; i++) {
            Lanes.put(half, y, i, Lanes.getF32(x, i) * factor);
        }
    }

    /** y += x, in the compute type. */
    static void add(long y, long x, int n, boolean half) {
        int bound = (int) Lanes.bound(n);
        for (int i = 0; i < bound; i += Lanes.COUNT) {
            Lanes.store(half, y, i, Lanes.load(half, y, i).add(Lanes.loadF32(x + 4L * i)));
        }
        for (int i = bound; i < n; i++) {
            Lanes.put(half, y, i, Lanes.get(half, y, i) + Lanes.getF32(x, i));
        }
    }

    static float dot(long x, long y, int n, long lanes, boolean half) {
        FloatVector total = FloatVector.zero(Lanes.FLOATS);
        int bound = (int) Lanes.bound(n);
        for (int i = 0; i < bound; i += Lanes.COUNT) {
            total = Lanes.load(half, x, i).fma(Lanes.load(half, y, i), total);
        }
        Lanes.storeF32(lanes, total);
        float sum = Lanes.foldF32(lanes);
        for (int i = bound; i < n; i++) {
            sum = Math.fma(Lanes.get(half, x, i), Lanes.get(half, y, i), sum);
        }
        return sum;
    }
}
