package io.penstock.tensor.cpu;

import jdk.incubator.vector.FloatVector;

/** The loops of {@link SwiGlu}. Outputs may be one of the inputs. */
final class VectorSwiGlu {
    private VectorSwiGlu() {}

    static void activate(long y, long gate, long up, long n) {
        long bound = Lanes.bound(n);
        for (long i = 0; i < bound; i += Lanes.COUNT) {
            FloatVector g = Lanes.loadF32(gate + 4 * i);
            Lanes.storeF32(y + 4 * i, g.div(Sigmoid.inverseOfLogistic(g)).mul(Lanes.loadF32(up + 4 * i)));
        }
        for (long i = bound; i < n; i++) {
            float g = Lanes.getF32(gate, i);
            Lanes.putF32(y, i, g / Sigmoid.inverseOfLogistic(g) * Lanes.getF32(up, i));
        }
    }

    /** dgate = dy up (s + a (1 - s)) and dup = dy a, where s = 1 / (1 + e^-gate) and a = gate s. */
    static void differentiate(long dgate, long dup, long dy, long gate, long up, long n) {
        FloatVector one = FloatVector.broadcast(Lanes.FLOATS, 1f);
        long bound = Lanes.bound(n);
        for (long i = 0; i < bound; i += Lanes.COUNT) {
            FloatVector g = Lanes.loadF32(gate + 4 * i);
            FloatVector u = Lanes.loadF32(up + 4 * i);
            FloatVector d = Lanes.loadF32(dy + 4 * i);
            FloatVector s = one.div(Sigmoid.inverseOfLogistic(g));
            FloatVector a = g.mul(s);
            Lanes.storeF32(dgate + 4 * i, a.fma(one.sub(s), s).mul(d.mul(u)));
            Lanes.storeF32(dup + 4 * i, d.mul(a));
        }
        for (long i = bound; i < n; i++) {
            float g = Lanes.getF32(gate, i);
            float u = Lanes.getF32(up, i);
            float d = Lanes.getF32(dy, i);
            float s = 1f / Sigmoid.inverseOfLogistic(g);
            float a = g * s;
            Lanes.putF32(dgate, i, Math.fma(a, 1f - s, s) * (d * u));
            Lanes.putF32(dup, i, d * a);
        }
    }
}
