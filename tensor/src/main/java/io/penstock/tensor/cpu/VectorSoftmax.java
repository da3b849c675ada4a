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
            most = most.max(Lanes.loadF32(at));
            most1 = most1.max(Lanes.loadF32(at + 4L * Lanes.COUNT));
            most2 = most2.max(Lanes.loadF32(at + 8L * Lanes.COUNT));
            most3 = most3.max(Lanes.loadF32(at + 12L * Lanes.COUNT));
        }
        most = most.max(most1).max(most2.max(most3));
        for (; i < valid; i += Lanes.COUNT) {
            most = most.max(Lanes.loadF32(row + 4L * i));
        }
        return most.reduceLanes(VectorOperators.MAX);
    }

    static float probabilities(long row, int valid, float scale, float offset, long lanes) {
        FloatVector scales = FloatVector.broadcast(Lanes.FLOATS, scale);
        FloatVector offsets = FloatVector.broadcast(Lanes.FLOATS, offset);
        FloatVector sum = FloatVector.zero(Lanes.FLOATS);
        for (int i = 0; i < valid; i += Lanes.COUNT) {
            FloatVector p = Exp.of(Lanes.loadF32(row + 4L * i).fma(scales, offsets));
            sum = sum.add(p);
            Lanes.storeF32(row + 4L * i, p);
        }
        sum.intoMemorySegment(Lanes.ALL, lanes, Lanes.ORDER);
        return Lanes.foldF32(lanes);
    }

    static void gradients(long scores, long dp, int valid, float scale, float offset, float d) {
        FloatVector scales = FloatVector.broadcast(Lanes.FLOATS, scale);
        FloatVector offsets = FloatVector.broadcast(Lanes.FLOATS, offset);
        for (int i = 0; i < valid; i += Lanes.COUNT) {
            FloatVector p = Exp.of(Lanes.loadF32(scores + 4L * i).fma(scales, offsets));
            Lanes.storeF32(scores + 4L * i, p);
            Lanes.storeF32(dp + 4L * i, Lanes.loadF32(dp + 4L * i).sub(d).mul(p.mul(scales)));
        }
    }
}
