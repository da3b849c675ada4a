package io.penstock.tensor.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/** The loops of {@link SoftmaxRow}: whole vectors, the row has room for the last. */
final class VectorSoftmax {
    private VectorSoftmax() {}

    /** By four vectors: each waits for its last. */
    static float maximum(long row, int valid) {
        FloatVector most = FloatVector.broadcast(Lanes.FLOATS, Float.NEGATIVE_INFINITY);
        FloatVector most1 = most;
        FloatVector most2 = most;
        FloatVector most3 = most;
        int i = 0;
        for (; i <= valid - 4 * Lanes.COUNT; i += 4 * Lanes.COUNT) {
            long at = row + 4L * i;
            most = Lanes.larger(most, Lanes.loadF32(at));
            most1 = Lanes.larger(most1, Lanes.loadF32(at + 4L * Lanes.COUNT));
            most2 = Lanes.larger(most2, Lanes.loadF32(at + 8L * Lanes.COUNT));
            most3 = Lanes.larger(most3, Lanes.loadF32(at + 12L * Lanes.COUNT));
        }
        most = Lanes.larger(Lanes.larger(most, most1), Lanes.larger(most2, most3));
        for (; i < valid; i += Lanes.COUNT) {
            most = Lanes.larger(most, Lanes.loadF32(row + 4L * i));
        }
        return most.reduceLanes(VectorOperators.MAX);
    }

    /** p = 2^(scale s + offset) in place of s, its sum returned. */
    static float probabilities(long row, int valid, float scale, float offset, long lanes) {
        FloatVector scales = FloatVector.broadcast(Lanes.FLOATS, scale);
        FloatVector offsets = FloatVector.broadcast(Lanes.FLOATS, offset);
        FloatVector sum = FloatVector.zero(Lanes.FLOATS);
        for (int i = 0; i < valid; i += Lanes.COUNT) {
            FloatVector p = Exp.two(Lanes.loadF32(row + 4L * i).fma(scales, offsets));
            sum = sum.add(p);
            Lanes.storeF32(row + 4L * i, p);
        }
        Lanes.storeF32(lanes, sum);
        return Lanes.foldF32(lanes);
    }

    /** As {@link #probabilities}, rounded to BF16 from the start of the row on; the sum is of what was not rounded. */
    static float probabilitiesBf16(long row, int valid, float scale, float offset, long lanes) {
        FloatVector scales = FloatVector.broadcast(Lanes.FLOATS, scale);
        FloatVector offsets = FloatVector.broadcast(Lanes.FLOATS, offset);
        FloatVector sum = FloatVector.zero(Lanes.FLOATS);
        for (int i = 0; i < valid; i += Lanes.COUNT) {
            FloatVector p = Exp.two(Lanes.loadF32(row + 4L * i).fma(scales, offsets));
            sum = sum.add(p);
            Lanes.storeBf16(row + 2L * i, p);
        }
        Lanes.storeF32(lanes, sum);
        return Lanes.foldF32(lanes);
    }

    /** p = 2^(power s + offset) in place of s, and scale p (dp - d) in place of dp. */
    static void gradients(long scores, long dp, int valid, float power, float offset, float scale, float d) {
        FloatVector powers = FloatVector.broadcast(Lanes.FLOATS, power);
        FloatVector offsets = FloatVector.broadcast(Lanes.FLOATS, offset);
        FloatVector shift = FloatVector.broadcast(Lanes.FLOATS, d);
        for (int i = 0; i < valid; i += Lanes.COUNT) {
            FloatVector p = Exp.two(Lanes.loadF32(scores + 4L * i).fma(powers, offsets));
            Lanes.storeF32(scores + 4L * i, p);
            Lanes.storeF32(dp + 4L * i, Lanes.loadF32(dp + 4L * i).sub(shift).mul(p.mul(scale)));
        }
    }

    /** As {@link #gradients}, both rounded to BF16 from the start of their rows on. */
    static void gradientsBf16(long scores, long dp, int valid, float power, float offset, float scale, float d) {
        FloatVector powers = FloatVector.broadcast(Lanes.FLOATS, power);
        FloatVector offsets = FloatVector.broadcast(Lanes.FLOATS, offset);
        FloatVector shift = FloatVector.broadcast(Lanes.FLOATS, d);
        for (int i = 0; i < valid; i += Lanes.COUNT) {
            FloatVector p = Exp.two(Lanes.loadF32(scores + 4L * i).fma(powers, offsets));
            Lanes.storeBf16(scores + 2L * i, p);
            Lanes.storeBf16(dp + 2L * i, Lanes.loadF32(dp + 4L * i).sub(shift).mul(p.mul(scale)));
        }
    }
}
