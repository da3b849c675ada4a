package io.penstock.tensor.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * e^x for x at most 88, within 2 ulp; 0 below -87.3; NaN stays. Built from exact-order fma, add and mul, so that the interpreter, C2 and the scalar form
 * give the same bits. e^x = 2^n e^r with n = round(x / ln 2) (by adding 1.5 * 2^23) and |r| at most ln 2 / 2; the polynomial is Cephes' expf (Moshier).
 */
final class Exp {
    private static final float LOWEST = -87.3f;
    private static final float LOG2E = 1.442695f;
    private static final float ROUND = 12582912f;
    private static final float LN2_HIGH = -0.6933594f;
    private static final float LN2_LOW = 2.1219444e-4f;
    private static final float P0 = 1.9875691e-4f;
    private static final float P1 = 0.0013981999f;
    private static final float P2 = 0.008333452f;
    private static final float P3 = 0.041665796f;
    private static final float P4 = 0.16666666f;
    private static final float P5 = 0.5f;

    private Exp() {}

    static FloatVector of(FloatVector x) {
        FloatVector shifted = x.fma(LOG2E, ROUND);
        FloatVector n = shifted.sub(ROUND);
        FloatVector r = n.fma(FloatVector.broadcast(Lanes.FLOATS, LN2_HIGH), x);
        r = n.fma(FloatVector.broadcast(Lanes.FLOATS, LN2_LOW), r);
        FloatVector p = FloatVector.broadcast(Lanes.FLOATS, P0);
        p = p.fma(r, FloatVector.broadcast(Lanes.FLOATS, P1));
        p = p.fma(r, FloatVector.broadcast(Lanes.FLOATS, P2));
        p = p.fma(r, FloatVector.broadcast(Lanes.FLOATS, P3));
        p = p.fma(r, FloatVector.broadcast(Lanes.FLOATS, P4));
        p = p.fma(r, FloatVector.broadcast(Lanes.FLOATS, P5));
        p = p.fma(r.mul(r), r).add(1f);
        IntVector power = shifted.reinterpretAsInts().add(127).lanewise(VectorOperators.LSHL, 23);
        FloatVector result = p.mul(power.reinterpretAsFloats());
        return result.blend(0f, x.compare(VectorOperators.LT, LOWEST));
    }

    static float of(float x) {
        if (x < LOWEST) {
            return 0;
        }
        float shifted = Math.fma(x, LOG2E, ROUND);
        float n = shifted - ROUND;
        float r = Math.fma(n, LN2_LOW, Math.fma(n, LN2_HIGH, x));
        float p = P0;
        p = Math.fma(p, r, P1);
        p = Math.fma(p, r, P2);
        p = Math.fma(p, r, P3);
        p = Math.fma(p, r, P4);
        p = Math.fma(p, r, P5);
        p = Math.fma(p, r * r, r) + 1f;
        return p * Float.intBitsToFloat((Float.floatToRawIntBits(shifted) + 127) << 23);
    }
}
