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

    /**
     * Of every two vectors the even elements first, then the odd ones, in a loop of two turns: C2 would not inline both, and by {@link Lanes#loadBf16} and its kin two
     * more instructions move elements.
     */
    static void activateBf16(long y, long x, long n) {
        long bound = Lanes.pairBound(n);
        for (long i = 0; i < bound; i += 2L * Lanes.COUNT) {
            IntVector pairs = Lanes.loadPairs(x + 2 * i);
            IntVector results = pairs;
            for (int shift = 16; shift >= 0; shift -= 16) {
                FloatVector values = Lanes.odd(pairs.lanewise(VectorOperators.LSHL, shift));
                results = Lanes.afterOdd(results, Sigmoid.gelu(values));
            }
            results.intoMemorySegment(Lanes.ALL, y + 2 * i, Lanes.ORDER);
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

    /** {@link Lanes#afterOdd} is written out: C2 no longer inlines methods of ours so late in one that is this long. */
    static void differentiateBf16(long dx, long dy, long x, long n) {
        long bound = Lanes.pairBound(n);
        for (long i = 0; i < bound; i += 2L * Lanes.COUNT) {
            IntVector pairs = Lanes.loadPairs(x + 2 * i);
            IntVector gradients = Lanes.loadPairs(dy + 2 * i);
            IntVector results = pairs;
            for (int shift = 16; shift >= 0; shift -= 16) {
                FloatVector values = Lanes.odd(pairs.lanewise(VectorOperators.LSHL, shift));
                FloatVector gradient = Lanes.odd(gradients.lanewise(VectorOperators.LSHL, shift));
                IntVector bits = Sigmoid.derivative(values).mul(gradient).reinterpretAsInts();
                IntVector odd = bits.lanewise(VectorOperators.LSHR, 16).lanewise(VectorOperators.AND, 1);
                IntVector rounded = bits.add(0x7fff).add(odd).lanewise(VectorOperators.AND, Lanes.HIGH_HALF);
                results = results.lanewise(VectorOperators.LSHR, 16).lanewise(VectorOperators.OR, rounded);
            }
            results.intoMemorySegment(Lanes.ALL, dx + 2 * i, Lanes.ORDER);
        }
        differentiateRest(dx, dy, x, bound, n);
    }

    private static void differentiateRest(long dx, long dy, long x, long from, long n) {
        for (long i = from; i < n; i++) {
            Lanes.putBf16(dx, i, Lanes.getBf16(dy, i) * Sigmoid.derivative(Lanes.getBf16(x, i)));
        }
    }
}
