package io.penstock.tensor.cpu;

import io.penstock.tensor.DType;
import io.penstock.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * Numbers in memory as vectors of f32. Addresses are absolute, indices count elements. The vector
 * width is the machine's, or {@code -Dpenstock.vector.bits=128|256|512}.
 */
final class Lanes {
    static final VectorSpecies<Float> FLOATS = species();
    static final VectorSpecies<Integer> INTS = FLOATS.withLanes(int.class);
    static final VectorSpecies<Short> SHORTS =
            VectorSpecies.of(short.class, VectorShape.forBitSize(FLOATS.vectorBitSize() / 2));
    static final VectorSpecies<Double> DOUBLES = FLOATS.withLanes(double.class);
    static final int COUNT = FLOATS.length();
    private static final VectorSpecies<Float> HALF_FLOATS =
            VectorSpecies.of(float.class, VectorShape.forBitSize(FLOATS.vectorBitSize() / 2));
    static final ByteOrder ORDER = ByteOrder.nativeOrder();

    /** Are there registers for masks, as AVX-512 has? Without them C2 makes an unsigned comparison and what follows from it three times as long. */
    private static final boolean MASKS = FLOATS.vectorBitSize() == 512;

    /** All of the address space: its bounds check is against a constant, so that C2 keeps no segment object in the loops. */
    static final MemorySegment ALL = all();

    static final int HIGH_HALF = 0xffff0000;
    private static final int LOW_HALF = 0x0000ffff;

    /** Of both halves. */
    private static final int LOWEST_BITS = 0x00010001;

    private static final int SIGN = 0x80000000;
    private static final int F32_INFINITY = 0x7f800000;
    private static final int F32_HALF = 126 << 23;
    /** What F32's exponents are more than F16's. */
    private static final int F16_EXPONENTS = 112 << 23;

    /** 2^-14 and 2^16 as F32: between them F16 has all its bits. */
    private static final int F16_LEAST_NORMAL = 113 << 23;

    private static final int F16_BEYOND = 143 << 23;

    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;
    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED;
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;
    private static final ValueLayout.OfDouble DOUBLE = ValueLayout.JAVA_DOUBLE_UNALIGNED;

    private Lanes() {}

    private static VectorSpecies<Float> species() {
        int bits = Integer.getInteger(
                "penstock.vector.bits", Math.clamp(FloatVector.SPECIES_PREFERRED.vectorBitSize(), 128, 512));
        return VectorSpecies.of(float.class, VectorShape.forBitSize(bits));
    }

    @SuppressWarnings("restricted")
    private static MemorySegment all() {
        return MemorySegment.NULL.reinterpret(Long.MAX_VALUE);
    }

    /** The type of x, which is one that this backend computes in. */
    static DType type(Tensor x) {
        return switch (x.dtype()) {
            case F32, BF16, F16 -> x.dtype();
            case F64, I32 ->
                throw new IllegalStateException("the cpu backend computes in F32, BF16 and F16, not " + x.dtype());
        };
    }

    /** The greatest multiple of the vector length that is at most n. */
    static long bound(long n) {
        return n & -(long) COUNT;
    }

    /** The greatest multiple of two vector lengths that is at most n. */
    static long pairBound(long n) {
        return n & -2L * COUNT;
    }

    // ---- vectors ----

    static FloatVector loadF32(long address) {
        return FloatVector.fromMemorySegment(FLOATS, ALL, address, ORDER);
    }

    static void storeF32(long address, FloatVector v) {
        v.intoMemorySegment(ALL, address, ORDER);
    }

    /** Half of {@link #COUNT} F32 as F64. */
    static DoubleVector loadAsF64(long address) {
        return (DoubleVector) FloatVector.fromMemorySegment(HALF_FLOATS, ALL, address, ORDER)
                .convertShape(VectorOperators.F2D, DOUBLES, 0);
    }

    /**
     * {@link #COUNT} BF16 as F32, in order. Where the order of elements does not matter, {@link #loadPairs} is cheaper.
     */
    static FloatVector loadBf16(long address) {
        IntVector bits = (IntVector) ShortVector.fromMemorySegment(SHORTS, ALL, address, ORDER)
                .convertShape(VectorOperators.ZERO_EXTEND_S2I, INTS, 0);
        return bits.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
    }

    /** Rounds to BF16, in order. */
    static void storeBf16(long address, FloatVector v) {
        rounded(v)
                .lanewise(VectorOperators.LSHR, 16)
                .convertShape(VectorOperators.I2S, SHORTS, 0)
                .reinterpretAsShorts()
                .intoMemorySegment(ALL, address, ORDER);
    }

    /** Twice {@link #COUNT} BF16 as they lie: {@link #even} and {@link #odd} are the vectors of every second element. */
    static IntVector loadPairs(long address) {
        return IntVector.fromMemorySegment(INTS, ALL, address, ORDER);
    }

    static FloatVector even(IntVector pairs) {
        return pairs.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
    }

    static FloatVector odd(IntVector pairs) {
        return pairs.lanewise(VectorOperators.AND, HIGH_HALF).reinterpretAsFloats();
    }

    /** Rounds to BF16: the reverse of {@link #loadPairs}. */
    static void storePairs(long address, FloatVector even, FloatVector odd) {
        if (MASKS) {
            storePairsMasked(address, even.reinterpretAsInts(), odd.reinterpretAsInts());
        } else {
            rounded(even)
                    .lanewise(VectorOperators.LSHR, 16)
                    .lanewise(VectorOperators.OR, rounded(odd).lanewise(VectorOperators.AND, HIGH_HALF))
                    .intoMemorySegment(ALL, address, ORDER);
        }
    }

    /** The same rounding, of both vectors at once. */
    private static void storePairsMasked(long address, IntVector even, IntVector odd) {
        IntVector kept = even.lanewise(VectorOperators.LSHR, 16)
                .lanewise(VectorOperators.OR, odd.lanewise(VectorOperators.AND, HIGH_HALF));
        IntVector cut = odd.lanewise(VectorOperators.LSHL, 16)
                .lanewise(VectorOperators.OR, even.lanewise(VectorOperators.AND, LOW_HALF));
        // up where more than a half is cut off, or a half of what is odd
        VectorMask<Short> up = cut.lanewise(VectorOperators.OR, kept.lanewise(VectorOperators.AND, LOWEST_BITS))
                .reinterpretAsShorts()
                .compare(VectorOperators.UGT, (short) 0x8000);
        kept.reinterpretAsShorts().add((short) 1, up).intoMemorySegment(ALL, address, ORDER);
    }

    /** The odd elements of {@code pairs} as its even ones, and v, rounded to BF16, as its odd ones: twice, for the even and for the odd, it makes pairs of two vectors. */
    static IntVector afterOdd(IntVector pairs, FloatVector v) {
        return pairs.lanewise(VectorOperators.LSHR, 16)
                .lanewise(VectorOperators.OR, rounded(v).lanewise(VectorOperators.AND, HIGH_HALF));
    }

    /**
     * BF16, rounded to nearest even, in the high half of each element. A NaN that arithmetic made stays as it is, for its low bits are 0; {@link
     * VectorBf16#narrow} takes care of all others.
     */
    private static IntVector rounded(FloatVector v) {
        IntVector bits = v.reinterpretAsInts();
        IntVector odd = bits.lanewise(VectorOperators.LSHR, 16).lanewise(VectorOperators.AND, 1);
        return bits.add(0x7fff).add(odd);
    }

    /** {@link #COUNT} F16 as F32, in order. */
    static FloatVector loadF16(long address) {
        IntVector bits = (IntVector) ShortVector.fromMemorySegment(SHORTS, ALL, address, ORDER)
                .convertShape(VectorOperators.ZERO_EXTEND_S2I, INTS, 0);
        IntVector magnitude = bits.lanewise(VectorOperators.AND, 0x7fff).lanewise(VectorOperators.LSHL, 13);
        // m 2^-24 for those without a leading 1: 2^-14 (1 + m / 1024) - 2^-14
        IntVector small = magnitude
                .add(F16_LEAST_NORMAL)
                .reinterpretAsFloats()
                .sub(0x1p-14f)
                .reinterpretAsInts();
        IntVector values = magnitude
                .add(F16_EXPONENTS)
                .blend(small, magnitude.compare(VectorOperators.LT, 1 << 23))
                .blend(
                        magnitude.lanewise(VectorOperators.OR, F32_INFINITY),
                        magnitude.compare(VectorOperators.GE, 0x1f << 23));
        return values.lanewise(
                        VectorOperators.OR,
                        bits.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.AND, SIGN))
                .reinterpretAsFloats();
    }

    /** Rounds to F16, ties to even, in order. */
    static void storeF16(long address, FloatVector v) {
        IntVector bits = v.reinterpretAsInts();
        IntVector magnitude = bits.lanewise(VectorOperators.AND, ~SIGN);
        // below 2^-14 one step is 2^-24: the sum with 0.5, whose last bit that is, rounds to it
        IntVector small =
                magnitude.reinterpretAsFloats().add(0.5f).reinterpretAsInts().sub(F32_HALF);
        IntVector odd = magnitude.lanewise(VectorOperators.LSHR, 13).lanewise(VectorOperators.AND, 1);
        // what rounds up past 65504 becomes infinity by its carry
        IntVector values = magnitude
                .sub(F16_EXPONENTS)
                .add(0xfff)
                .add(odd)
                .lanewise(VectorOperators.LSHR, 13)
                .blend(small, magnitude.compare(VectorOperators.LT, F16_LEAST_NORMAL))
                .blend(0x7c00, magnitude.compare(VectorOperators.GE, F16_BEYOND))
                .blend(0x7e00, magnitude.compare(VectorOperators.GT, F32_INFINITY));
        values.lanewise(
                        VectorOperators.OR,
                        bits.lanewise(VectorOperators.LSHR, 16).lanewise(VectorOperators.AND, 0x8000))
                .convertShape(VectorOperators.I2S, SHORTS, 0)
                .reinterpretAsShorts()
                .intoMemorySegment(ALL, address, ORDER);
    }

    /** The larger of each; b where it is no number is left out, unlike by {@link FloatVector#max}, which takes four times as long. */
    static FloatVector larger(FloatVector a, FloatVector b) {
        return a.blend(b, b.compare(VectorOperators.GT, a));
    }

    /** Sum of a stored vector's lanes by a fixed tree; {@code reduceLanes(ADD)} promises no order. */
    static float foldF32(long address) {
        float sum = 0;
        for (int i = 0; i < COUNT; i += 4) {
            sum += (getF32(address, i) + getF32(address, i + 1)) + (getF32(address, i + 2) + getF32(address, i + 3));
        }
        return sum;
    }

    // ---- scalars ----

    /** {@code type} is F32, BF16 or F16. */
    static float get(DType type, long base, long index) {
        if (type == DType.F32) {
            return getF32(base, index);
        }
        return type == DType.BF16 ? getBf16(base, index) : getF16(base, index);
    }

    static void put(DType type, long base, long index, float value) {
        if (type == DType.F32) {
            putF32(base, index, value);
        } else if (type == DType.BF16) {
            putBf16(base, index, value);
        } else {
            putF16(base, index, value);
        }
    }

    static float getBf16(long base, long index) {
        return DType.fromBf16(ALL.get(SHORT, base + 2 * index));
    }

    static void putBf16(long base, long index, float value) {
        ALL.set(SHORT, base + 2 * index, DType.toBf16(value));
    }

    static float getF16(long base, long index) {
        return DType.fromF16(ALL.get(SHORT, base + 2 * index));
    }

    static void putF16(long base, long index, float value) {
        ALL.set(SHORT, base + 2 * index, DType.toF16(value));
    }

    static float getF32(long base, long index) {
        return ALL.get(FLOAT, base + 4 * index);
    }

    static void putF32(long base, long index, float value) {
        ALL.set(FLOAT, base + 4 * index, value);
    }

    static int getI32(long base, long index) {
        return ALL.get(INT, base + 4 * index);
    }

    static void putI32(long base, long index, int value) {
        ALL.set(INT, base + 4 * index, value);
    }

    static double getF64(long base, long index) {
        return ALL.get(DOUBLE, base + 8 * index);
    }

    static void putF64(long base, long index, double value) {
        ALL.set(DOUBLE, base + 8 * index, value);
    }

    static void putByte(long address, byte value) {
        ALL.set(ValueLayout.JAVA_BYTE, address, value);
    }
}
