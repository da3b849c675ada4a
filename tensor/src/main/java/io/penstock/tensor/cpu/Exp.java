package io.penstock.tensor.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * 2^x, of which e^x is {@code two(x * LOG2E)}: callers have a factor to multiply by anyway. Built from fma, add and subtract of which each has one exact result, so that the
 * interpreter, C2 and the scalar form give the same bits. 2^x = 2^n 2^r with n = round(x) (by adding 1.5 * 2^23) and |r| at most 1/2.
 */
final class Exp {
    /** 1 / ln 2. */
    static final float LOG2E = 1.442695f;

    private static final float ROUND = 12582912f;

    /** 2^r = 1 + r (Q1 + r (Q2 + ...)) for |r| <= 1/2, of the least largest relative error, 9e-8 before rounding. */
    private static final float Q1 = 0.693147f;

    private static final float Q2 = 0.24022242f;
    private static final float Q3 = 0.055507336f;
    private static final float Q4 = 0.009671513f;
    private static final float Q5 = 0.0013264727f;

    /** Below it 2^x is no normal number. */
    private static final float LOWEST = -126f;

    private Exp() {}

    /** 2^x for x at most 127, within 2 ulp; 0 below -126; a NaN that arithmetic made stays. */
    static FloatVector two(FloatVector x) {
        return twoInRange(x).blend(0f, x.compare(VectorOperators.LT, LOWEST));
    }

    static float two(float x) {
        return x < LOWEST ? 0 : twoInRange(x);
    }

    /** 2^x for x from -126 to 127. */
    static FloatVector twoInRange(FloatVector x) {
        FloatVector shifted = x.add(ROUND);
        FloatVector r = x.sub(shifted.sub(ROUND));
        FloatVector p = r.fma(Q5, Q4);
        p = p.fma(r, FloatVector.broadcast(Lanes.FLOATS, Q3));
        p = p.fma(r, FloatVector.broadcast(Lanes.FLOATS, Q2));
        p = p.fma(r, FloatVector.broadcast(Lanes.FLOATS, Q1));
        p = p.fma(r, FloatVector.broadcast(Lanes.FLOATS, 1f));
        IntVector power = shifted.reinterpretAsInts().lanewise(VectorOperators.LSHL, 23);
        return p.reinterpretAsInts().add(power).reinterpretAsFloats();
    }

    static float twoInRange(float x) {
        float shifted = x + ROUND;
        float r = x - (shifted - ROUND);
        float p = Math.fma(r, Q5, Q4);
        p = Math.fma(p, r, Q3);
        p = Math.fma(p, r, Q2);
        p = Math.fma(p, r, Q1);
        p = Math.fma(p, r, 1f);
        return Float.intBitsToFloat(Float.floatToRawIntBits(p) + (Float.floatToRawIntBits(shifted) << 23));
    }
}
