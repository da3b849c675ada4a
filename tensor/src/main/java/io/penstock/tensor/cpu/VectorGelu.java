package io.penstock.tensor.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/** The loops of {@link Gelu}, for F32 and for BF16. */
final class VectorGelu {
    private VectorGelu() {}

    static void activate(long y, long x, long n) {
        long bound = Lanes.bound(n);
        for (long i = 0; i < bound; i += Lanes.COUNT) {
            Lanes.storeF32(y + 4 * i, Sigmoid.gelu(Lanes.loadF32(x + 4 * i)));
        }
        for (long i = bound; i < n; i++) {
            Lanes.putF32(y, i, Sigmoid.gelu(Lanes.getF32(x, i)));
        }
    }

    static void activateBf16(long y, long x, long n) {
        long bound = Lanes.bound(n);
        for (long i = 0; i < bound; i += Lanes.COUNT) {
            Lanes.storeBf16(y + 2 * i, Sigmoid.gelu(Lanes.loadBf16(x + 2 * i)));
        }
        activateRest(y, x, bound, n);
    }

    private static void activateRest(long y, long x, long from, long n) {
        for (long i = from; i < n; i++) {
            Lanes.putBf16(y, i, Sigmoid.gelu(Lanes.getBf16(x, i)));
        }
    }

    static void differentiate(long dx, long dy, long x, long n) {
        long bound = Lanes.bound(n);
        for (long i = 0; i < bound; i += Lanes.COUNT) {
            FloatVector derivative = Sigmoid.derivative(Lanes.loadF32(x + 4 * i));
            Lanes.storeF32(dx + 4 * i, Lanes.loadF32(dy + 4 * i).mul(derivative));
        }
        for (long i = bound; i < n; i++) {
            Lanes.putF32(dx, i, Lanes.getF32(dy, i) * Sigmoid.derivative(Lanes.getF32(x, i)));
        }
    }

    /** {@link Lanes#storeBf16} is written out: C2 no longer inlines methods of ours so late in one that is this long. */
    static void differentiateBf16(long dx, long dy, long x, long n) {
        long bound = Lanes.bound(n);
        for (long i = 0; i < bound; i += Lanes.COUNT) {
            FloatVector gradient = Lanes.loadBf16(dy + 2 * i);
            IntVector bits =
                    Sigmoid.derivative(Lanes.loadBf16(x + 2 * i)).mul(gradient).reinterpretAsInts();
            IntVector odd = bits.lanewise(VectorOperators.LSHR, 16).lanewise(VectorOperators.AND, 1);
            bits.add(0x7fff)
                    .add(odd)
                    .lanewise(VectorOperators.LSHR, 16)
                    .convertShape(VectorOperators.I2S, Lanes.SHORTS, 0)
                    .reinterpretAsShorts()
                    .intoMemorySegment(Lanes.ALL, dx + 2 * i, Lanes.ORDER);
        }
        differentiateRest(dx, dy, x, bound, n);
    }

    private static void differentiateRest(long dx, long dy, long x, long from, long n) {
        for (long i = from; i < n; i++) {
            Lanes.putBf16(dx, i, Lanes.getBf16(dy, i) * Sigmoid.derivative(Lanes.getBf16(x, i)));
        }
    }
}
