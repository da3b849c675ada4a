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
        float max = Math.max(old, VectorSoftmax.maximum(row, valid));
        float kept = Exp.of((old - max) * scale);
        float sum = VectorSoftmax.probabilities(row, valid, scale, -max * scale, lanes);
        settle(row, valid, n, half);
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

    /** Rounds the row's whole vectors to the compute type in place, and zeroes it from there to n. */
    private static void settle(long row, int valid, int n, boolean half) {
        int whole = (valid + Lanes.COUNT - 1) / Lanes.COUNT * Lanes.COUNT;
        Bf16.flush(half, row, row, whole);
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
        VectorSoftmax.gradients(scores, dp, valid, scale, -lse, d);
        settle(scores, valid, n, half);
        settle(dp, valid, n, half);
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
