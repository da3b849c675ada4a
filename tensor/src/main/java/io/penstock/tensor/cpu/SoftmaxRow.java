package io.penstock.tensor.cpu;

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
        float most = VectorSoftmax.maximum(row, valid);
        float max = most > old ? most : old;
        float power = scale * Exp.LOG2E;
        float kept = Exp.two((old - max) * power);
        float sum = half
                ? VectorSoftmax.probabilitiesBf16(row, valid, power, -max * power, lanes)
                : VectorSoftmax.probabilities(row, valid, power, -max * power, lanes);
        clear(row, valid, n, half);
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

    /** Zeroes the row from its first {@code valid} elements' whole vectors to n. */
    private static void clear(long row, int valid, int n, boolean half) {
        int whole = (valid + Lanes.COUNT - 1) / Lanes.COUNT * Lanes.COUNT;
        if (whole < n) {
            int floats = half ? (n - whole + 1) / 2 : n - whole;
            Vectors.zero(row + (long) whole * Lanes.bytes(half), floats);
        }
    }

    /**
     * From scores and dp = do v': p = e^(scale s - lse) in place of the scores, ds = scale p (dp - d) in place of dp, both in the compute type, 0 from {@code
     * valid} on.
     */
    static void backward(long scores, long dp, int valid, int n, float scale, float lse, float d, boolean half) {
        mask(scores, valid);
        float power = scale * Exp.LOG2E;
        float offset = -lse * Exp.LOG2E;
        if (half) {
            VectorSoftmax.gradientsBf16(scores, dp, valid, power, offset, scale, d);
        } else {
            VectorSoftmax.gradients(scores, dp, valid, power, offset, scale, d);
        }
        clear(scores, valid, n, half);
        clear(dp, valid, n, half);
    }

    /** y = x * factor, to the compute type; x is F32 and may be overwritten. */
    static void write(long y, long x, float factor, int n, boolean half) {
        long scaled = half ? x : y;
        Vectors.scale(scaled, x, factor, n);
        Bf16.flush(half, y, scaled, n);
    }

    /** y += x, in the compute type; {@code scratch} holds n floats. */
    static void add(long y, long x, int n, long scratch, boolean half) {
        long sum = Bf16.read(half, y, scratch, n);
        Vectors.add(sum, sum, x, n);
        Bf16.flush(half, y, sum, n);
    }

    /** {@code scratch} holds 2 n floats and a vector. */
    static float dot(long x, long y, int n, long scratch, boolean half) {
        long first = Bf16.read(half, x, scratch, n);
        long second = Bf16.read(half, y, scratch + 4L * n, n);
        return Vectors.dot(first, second, n, scratch + 8L * n);
    }
}
