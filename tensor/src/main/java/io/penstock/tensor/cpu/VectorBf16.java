package io.penstock.tensor.cpu;

import io.penstock.tensor.DType;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/** Conversions between BF16 and F32 in memory. */
final class VectorBf16 {
    private VectorBf16() {}

    /** y (F32) = x (BF16). */
    static void widen(long y, long x, long n) {
        long bound = Lanes.bound(n);
        for (long i = 0; i < bound; i += Lanes.COUNT) {
            IntVector bits = (IntVector) ShortVector.fromMemorySegment(Lanes.SHORTS, Lanes.ALL, x + 2 * i, Lanes.ORDER)
                    .convertShape(VectorOperators.ZERO_EXTEND_S2I, Lanes.INTS, 0);
            bits.lanewise(VectorOperators.LSHL, 16).intoMemorySegment(Lanes.ALL, y + 4 * i, Lanes.ORDER);
        }
        for (long i = bound; i < n; i++) {
            Lanes.putF32(y, i, Lanes.getBf16(x, i));
        }
    }

    /** y (BF16) = x (F32), rounded as {@link DType#toBf16}. They may start at the same address. */
    static void narrow(long y, long x, long n) {
        long bound = Lanes.bound(n);
        for (long i = 0; i < bound; i += Lanes.COUNT) {
            FloatVector v = FloatVector.fromMemorySegment(Lanes.FLOATS, Lanes.ALL, x + 4 * i, Lanes.ORDER);
            IntVector bits = v.reinterpretAsInts();
            IntVector odd = bits.lanewise(VectorOperators.LSHR, 16).lanewise(VectorOperators.AND, 1);
            IntVector rounded = bits.add(odd).add(0x7fff);
            VectorMask<Integer> nan = v.compare(VectorOperators.NE, v).cast(Lanes.INTS);
            IntVector high = rounded.blend(bits.lanewise(VectorOperators.OR, 0x400000), nan)
                    .lanewise(VectorOperators.LSHR, 16);
            high.convertShape(VectorOperators.I2S, Lanes.SHORTS, 0)
                    .reinterpretAsShorts()
                    .intoMemorySegment(Lanes.ALL, y + 2 * i, Lanes.ORDER);
        }
        for (long i = bound; i < n; i++) {
            Lanes.putBf16(y, i, Lanes.getF32(x, i));
        }
    }

    /** y (BF16) = a + b (BF16), summed in F32. */
    static void add(long y, long a, long b, long n) {
        long bound = Lanes.pairBound(n);
        for (long i = 0; i < bound; i += 2L * Lanes.COUNT) {
            IntVector first = Lanes.loadPairs(a + 2 * i);
            IntVector second = Lanes.loadPairs(b + 2 * i);
            FloatVector even = Lanes.even(first).add(Lanes.even(second));
            FloatVector odd = Lanes.odd(first).add(Lanes.odd(second));
            Lanes.storePairs(y + 2 * i, even, odd);
        }
        for (long i = bound; i < n; i++) {
            Lanes.putBf16(y, i, Lanes.getBf16(a, i) + Lanes.getBf16(b, i));
        }
    }

    /** y (F32) += x (BF16). */
    static void addTo(long y, long x, long n) {
        long bound = Lanes.bound(n);
        for (long i = 0; i < bound; i += Lanes.COUNT) {
            Lanes.storeF32(y + 4 * i, Lanes.loadF32(y + 4 * i).add(Lanes.loadBf16(x + 2 * i)));
        }
        for (long i = bound; i < n; i++) {
            Lanes.putF32(y, i, Lanes.getF32(y, i) + Lanes.getBf16(x, i));
        }
    }

    /** y (F32) += x (BF16) and z (F32) += x, which is read once. */
    static void addToBoth(long y, long z, long x, long n) {
        long bound = Lanes.bound(n);
        for (long i = 0; i < bound; i += Lanes.COUNT) {
            FloatVector addend = Lanes.loadBf16(x + 2 * i);
            Lanes.storeF32(y + 4 * i, Lanes.loadF32(y + 4 * i).add(addend));
            Lanes.storeF32(z + 4 * i, Lanes.loadF32(z + 4 * i).add(addend));
        }
        for (long i = bound; i < n; i++) {
            float addend = Lanes.getBf16(x, i);
            Lanes.putF32(y, i, Lanes.getF32(y, i) + addend);
            Lanes.putF32(z, i, Lanes.getF32(z, i) + addend);
        }
    }

    /** y (F32) += four rows of x (BF16), one after the other, as {@link #addTo} would, with one pass over y. */
    static void addFour(long y, long x, long rowBytes, long n) {
        long bound = Lanes.bound(n);
        for (long i = 0; i < bound; i += Lanes.COUNT) {
            long at = x + 2 * i;
            FloatVector sum = Lanes.loadF32(y + 4 * i).add(Lanes.loadBf16(at));
            sum = sum.add(Lanes.loadBf16(at + rowBytes));
            sum = sum.add(Lanes.loadBf16(at + 2 * rowBytes));
            Lanes.storeF32(y + 4 * i, sum.add(Lanes.loadBf16(at + 3 * rowBytes)));
        }
        for (long i = bound; i < n; i++) {
            float sum = Lanes.getF32(y, i) + Lanes.getBf16(x, i);
            sum = sum + Lanes.getBf16(x + rowBytes, i);
            sum = sum + Lanes.getBf16(x + 2 * rowBytes, i);
            Lanes.putF32(y, i, sum + Lanes.getBf16(x + 3 * rowBytes, i));
        }
    }
}
