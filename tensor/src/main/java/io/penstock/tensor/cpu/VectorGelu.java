package io.penstock.tensor.cpu;

import jdk.incubator.vector.FloatVector;

/** The loops of {@link Gelu}. */
final class VectorGelu {
    private VectorGelu() {}

    static void activate(long y, long x, long n) {
        long bound = Lanes.bound(n);
        for (long i = 0; i < bound; i += Lanes.COUNT) {
            FloatVector v = Lanes.loadF32(x + 4 * i);
            Lanes.storeF32(y + 4 * i, v.mul(Sigmoid.of(v)));
        }
        for (long i = bound; i < n; i++) {
            float v = Lanes.getF32(x, i);
            Lanes.putF32(y, i, v * Sigmoid.of(v));
        }
    }

    /** A pass of its own: in one loop with the rest of the derivative, C2 left two vectors as objects. */
    static void sigmoids(long y, long x, long n) {
        long bound = Lanes.bound(n);
        for (long i = 0; i < bound; i += Lanes.COUNT) {
            Lanes.storeF32(y + 4 * i, Sigmoid.of(Lanes.loadF32(x + 4 * i)));
        }
        for (long i = bound; i < n; i++) {
            Lanes.putF32(y, i, Sigmoid.of(Lanes.getF32(x, i)));
        }
    }

    static void differentiate(long dx, long dy, long x, long sigmoids, long n) {
        long bound = Lanes.bound(n);
        for (long i = 0; i < bound; i += Lanes.COUNT) {
            FloatVector v = Lanes.loadF32(x + 4 * i);
            FloatVector s = Lanes.loadF32(sigmoids + 4 * i);
            FloatVector slope = v.mul(v.mul(v).mul(-3 * Sigmoid.B).sub(Sigmoid.A));
            FloatVector derivative =
                    slope.mul(s).fma(FloatVector.broadcast(Lanes.FLOATS, 1f).sub(s), s);
            Lanes.storeF32(dx + 4 * i, Lanes.loadF32(dy + 4 * i).mul(derivative));
        }
        for (long i = bound; i < n; i++) {
            float v = Lanes.getF32(x, i);
            float s = Lanes.getF32(sigmoids, i);
            float slope = v * (v * v * (-3 * Sigmoid.B) - Sigmoid.A);
            Lanes.putF32(dx, i, Lanes.getF32(dy, i) * Math.fma(slope * s, 1f - s, s));
        }
    }
}
