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
}
