package io.penstock.tensor.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/** The logistic function, and by it gelu(x) = x s with s = 1 / (1 + e^(-2u)) and u = sqrt(2/pi) (x + 0.044715 x^3), and its derivative. */
final class Sigmoid {
    /** e^(-2u) = 2^(x (A + B x^2)): A = -2 sqrt(2/pi) / ln 2, B = 0.044715 A. */
    private static final float A = -2.3022082f;

    private static final float B = -0.10294324f;

    /** (2u)' = C + D x^2: C = 2 sqrt(2/pi), D = 3 * 0.044715 C. */
    private static final float C = 1.5957692f;

    private static final float D = 0.21406445f;

    /** The power of 2 is cut at 115; s is then 2e-35, and x times it is below the smallest step of anything it is added to. */
    private static final int HIGHEST = 0x42e60000;

    /** And at -126, where s is 1. */
    private static final int LOWEST = 0xc2fc0000;

    private Sigmoid() {}

    /** 1 + e^(-2u). A power that is no number may come out as one: x, which both callers multiply by, is none then. */
    private static FloatVector inverse(FloatVector x, FloatVector squared) {
        // as integers, numbers above 0 follow all others; as unsigned ones, those below 0 do, the lowest last
        IntVector power = squared.fma(B, A).mul(x).reinterpretAsInts();
        IntVector cut = power.min(HIGHEST).lanewise(VectorOperators.UMIN, LOWEST);
        return Exp.twoInRange(cut.reinterpretAsFloats()).add(1f);
    }

    private static float inverse(float x, float squared) {
        int power = Math.min(Float.floatToRawIntBits(Math.fma(squared, B, A) * x), HIGHEST);
        int cut = Integer.compareUnsigned(power, LOWEST) < 0 ? power : LOWEST;
        return Exp.twoInRange(Float.intBitsToFloat(cut)) + 1f;
    }

    /** 1 + e^-x, cut as there: what silu(x) = x / (1 + e^-x) divides by. */
    static FloatVector inverseOfLogistic(FloatVector x) {
        IntVector power = x.mul(-Exp.LOG2E).reinterpretAsInts();
        IntVector cut = power.min(HIGHEST).lanewise(VectorOperators.UMIN, LOWEST);
        return Exp.twoInRange(cut.reinterpretAsFloats()).add(1f);
    }

    static float inverseOfLogistic(float x) {
        int power = Math.min(Float.floatToRawIntBits(x * -Exp.LOG2E), HIGHEST);
        int cut = Integer.compareUnsigned(power, LOWEST) < 0 ? power : LOWEST;
        return Exp.twoInRange(Float.intBitsToFloat(cut)) + 1f;
    }

    static FloatVector gelu(FloatVector x) {
        return x.div(inverse(x, x.mul(x)));
    }

    static float gelu(float x) {
        return x / inverse(x, x * x);
    }

    /** gelu'(x) = s + x s (1 - s) (2u)'. */
    static FloatVector derivative(FloatVector x) {
        FloatVector squared = x.mul(x);
        FloatVector one = FloatVector.broadcast(Lanes.FLOATS, 1f);
        FloatVector s = one.div(inverse(x, squared));
        return squared.fma(D, C).mul(x).mul(s).fma(one.sub(s), s);
    }

    static float derivative(float x) {
        float squared = x * x;
        float s = 1f / inverse(x, squared);
        return Math.fma(Math.fma(squared, D, C) * x * s, 1f - s, s);
    }
}
