package io.penstock.tensor.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/** 1 / (1 + e^(-2u)) with u = sqrt(2/pi) (x + 0.044715 x^3): gelu(x) = x times this. */
final class Sigmoid {
    /** -2 sqrt(2/pi), and that times 0.044715: -2u = x (A + B x^2); (2u)' = -(A + 3 B x^2). */
    static final float A = -1.5957692f;

    static final float B = -0.071354814f;

    /** e^(-2u) is cut here; the result is then 1e-35, and x times it is below the smallest step of anything it is added to. */
    private static final float LARGEST = 80f;

    private Sigmoid() {}

    static FloatVector of(FloatVector x) {
        FloatVector exponent = x.mul(x.mul(x).mul(B).add(A));
        FloatVector cut = exponent.blend(LARGEST, exponent.compare(VectorOperators.GT, LARGEST));
        return FloatVector.broadcast(Lanes.FLOATS, 1f).div(Exp.of(cut).add(1f));
    }

    static float of(float x) {
        float exponent = x * (x * x * B + A);
        return 1f / (Exp.of(exponent > LARGEST ? LARGEST : exponent) + 1f);
    }
}
