package io.penstock.tensor;

/** Element types. F64 exists for gradient checks on the reference backend; I32 holds token ids. */
public enum DType {
    F32(4),
    BF16(2),
    /** IEEE 754 binary16: 10 bits of mantissa, at most 65504, steps of 2^-24 near 0. */
    F16(2),
    F64(8),
    I32(4);

    private final int bytes;

    DType(int bytes) {
        this.bytes = bytes;
    }

    public int bytes() {
        return bytes;
    }

    /** The type in which gradients of parameters and optimizer states of this compute type are kept: F64 for F64, else F32. */
    public DType accumulator() {
        return this == F64 ? F64 : F32;
    }

    /** Rounds to nearest, ties to even; NaN stays NaN. */
    public static short toBf16(float value) {
        int bits = Float.floatToRawIntBits(value);
        if ((bits & 0x7fffffff) > 0x7f800000) {
            return (short) ((bits >>> 16) | 0x40);
        }
        return (short) ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16);
    }

    public static float fromBf16(short bits) {
        return Float.intBitsToFloat(bits << 16);
    }

    /** Rounds to nearest, ties to even; past 65504 by half a step or more it is infinity; NaN stays NaN. */
    public static short toF16(float value) {
        return Float.floatToFloat16(value);
    }

    public static float fromF16(short bits) {
        return Float.float16ToFloat(bits);
    }

    /** Whether this is one of the 16-bit compute types. */
    public boolean isHalf() {
        return this == BF16 || this == F16;
    }
}
