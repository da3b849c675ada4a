package io.penstock.models.weights;

import io.penstock.tensor.DType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** The element types of safetensors, by their names in its headers. All can be listed; those that {@link #isReadable} can become tensors. */
public enum ElementType {
    F64(8),
    F32(4),
    F16(2),
    BF16(2),
    I64(8),
    I32(4),
    I16(2),
    I8(1),
    U64(8),
    U32(4),
    U16(2),
    U8(1),
    BOOL(1),
    F8_E4M3(1),
    F8_E5M2(1);

    private static final ValueLayout.OfDouble DOUBLE = ValueLayout.JAVA_DOUBLE_UNALIGNED;
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;
    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED;

    private final int bytes;

    ElementType(int bytes) {
        this.bytes = bytes;
    }

    public int bytes() {
        return bytes;
    }

    public boolean isReadable() {
        return this == F64 || this == F32 || this == F16 || this == BF16;
    }

    /** The type under which a tensor of {@code dtype} is written. */
    static ElementType of(DType dtype) {
        return switch (dtype) {
            case F64 -> F64;
            case F32 -> F32;
            case BF16 -> BF16;
            case F16 -> F16;
            case I32 -> I32;
        };
    }

    boolean isSameAs(DType dtype) {
        return of(dtype) == this;
    }

    /** Element {@code index} of a segment of this type; {@link IllegalStateException} unless {@link #isReadable}. */
    double get(MemorySegment data, long index) {
        return switch (this) {
            case F64 -> data.get(DOUBLE, index * Double.BYTES);
            case F32 -> data.get(FLOAT, index * Float.BYTES);
            case F16 -> DType.fromF16(data.get(SHORT, index * Short.BYTES));
            case BF16 -> DType.fromBf16(data.get(SHORT, index * Short.BYTES));
            case I64, I32, I16, I8, U64, U32, U16, U8, BOOL, F8_E4M3, F8_E5M2 ->
                throw new IllegalStateException(this + " is not read as numbers");
        };
    }
}
