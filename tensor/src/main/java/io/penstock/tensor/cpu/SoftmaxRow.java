package io.penstock.tensor.cpu;

import io.penstock.tensor.DType;

/** One row of attention scores, in the workspace: rows have room to the next whole vector. */
final class SoftmaxRow {
    private SoftmaxRow() {}

    /**
     * Turns the first {@code valid} of n scores at {@code row} into p = e^(scale (s - max)), in the compute type and in place, the others into 0. Updates the
     * row's running max and total; returns the factor by which what was summed under the old max shrinks.
     */
    static float forward(long row, int valid, int n, float scale, long maximum, long total, long lanes, DType type) {
        mask(row, valid);
        float old = Lanes.getF32(maximum, 0);
        float most = VectorSoftmax.maximum(row, valid);
        float max = most > old ? most : old;
        float power = scale * Exp.LOG2E;
        float kept = Exp.two((old - max) * power);
        float sum = type == DType.BF16
                ? VectorSoftmax.probabilitiesBf16(row, valid, power, -max * power, lanes)
                : VectorSoftmax.probabilities(row, valid, power, -max * power, lanes);
        if (type == DType.F16) {
            VectorF16.narrow(row, row, whole(valid));
        }
        clear(row, valid, n, type);
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

    /** {@code valid} to the end of its vector. */
    private static int whole(int valid) {
        return (valid + Lanes.COUNT - 1) / Lanes.COUNT * Lanes.COUNT;
    }

    /** Zeroes the row from its first {@code valid} elements' whole vectors to n. */
    private static void clear(long row, int valid, int n, DType type) {
        int whole = whole(valid);
        if (whole < n) {
            int floats = type.isHalf() ? (n - whole + 1) / 2 : n - whole;
            Vectors.zero(row + (long) whole * type.bytes(), floats);
        }
    }

    /**
     * From scores and dp = do v': p = e^(scale s - lse) in place of the scores, ds = scale p (dp - d) in place of dp, both in the compute type, 0 from {@code
     * valid} on.
     */
    static void backward(long scores, long dp, int valid, int n, float scale, float lse, float d, DType type) {
        mask(scores, valid);
        float power = scale * Exp.LOG2E;
        float offset = -lse * Exp.LOG2E;
        if (type == DType.BF16) {
            VectorSoftmax.gradientsBf16(scores, dp, valid, power, offset, scale, d);
        } else {
            VectorSoftmax.gradients(scores, dp, valid, power, offset, scale, d);
        }
        if (type == DType.F16) {
            VectorF16.narrow(scores, scores, whole(valid));
            VectorF16.narrow(dp, dp, whole(valid));
        }
        clear(scores, valid, n, type);
        clear(dp, valid, n, type);
    }

    /** y = x * factor, to the compute type; x is F32 and may be overwritten. */
    static void write(long y, long x, float factor, int n, DType type) {
        long scaled = type.isHalf() ? x : y;
        Vectors.scale(scaled, x, factor, n);
        Halves.flush(type, y, scaled, n);
    }

    /** y += x, in the compute type; {@code scratch} holds n floats. */
    static void add(long y, long x, int n, long scratch, DType type) {
        long sum = Halves.read(type, y, scratch, n);
        Vectors.add(sum, sum, x, n);
        Halves.flush(type, y, sum, n);
    }

    /** {@code scratch} holds 2 n floats and a vector. */
    static float dot(long x, long y, int n, long scratch, DType type) {
        long first = Halves.read(type, x, scratch, n);
        long second = Halves.read(type, y, scratch + 4L * n, n);
        return Vectors.dot(first, second, n, scratch + 8L * n);
    }
}
