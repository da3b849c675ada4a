package io.penstock.tensor;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A view of memory that somebody else owns: never closed, never resized. Rows (the innermost dim) are contiguous; consecutive rows lie {@link
 * #rowStride()} elements apart, so that a block of columns of a matrix is a tensor too. Device memory is a segment whose address means something to its
 * backend alone.
 */
public final class Tensor {
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT;

    private final MemorySegment segment;
    private final DType dtype;
    private final Shape shape;
    private final long rowStride;

    private Tensor(MemorySegment segment, DType dtype, Shape shape, long rowStride) {
        this.segment = segment;
        this.dtype = dtype;
        this.shape = shape;
        this.rowStride = rowStride;
        long needed = shape.elements() == 0
                ? 0
                : Math.multiplyExact(
                        Math.addExact(Math.multiplyExact(shape.rows() - 1, rowStride), shape.last()),
                        (long) dtype.bytes());
        if (segment.byteSize() < needed) {
            throw new IllegalArgumentException("a " + dtype + " tensor " + shape + " needs " + needed
                    + " bytes, its segment has " + segment.byteSize());
        }
    }

    public static Tensor of(MemorySegment segment, DType dtype, Shape shape) {
        return new Tensor(segment, dtype, shape, shape.last());
    }

    /** Rows {@code rowStride} elements apart. */
    public static Tensor strided(MemorySegment segment, DType dtype, Shape shape, long rowStride) {
        if (rowStride < shape.last()) {
            throw new IllegalArgumentException("row stride " + rowStride + " < row length " + shape.last());
        }
        return new Tensor(segment, dtype, shape, rowStride);
    }

    public MemorySegment segment() {
        return segment;
    }

    public long address() {
        return segment.address();
    }

    public DType dtype() {
        return dtype;
    }

    public Shape shape() {
        return shape;
    }

    /** Elements between the starts of consecutive rows. */
    public long rowStride() {
        return rowStride;
    }

    public boolean isContiguous() {
        return rowStride == shape.last() || shape.rows() <= 1;
    }

    public long elements() {
        return shape.elements();
    }

    /** Bytes of the elements (of a contiguous tensor: of its memory). */
    public long bytes() {
        return Math.multiplyExact(shape.elements(), (long) dtype.bytes());
    }

    /** The same contiguous elements under other dims. */
    public Tensor reshape(Shape other) {
        if (!isContiguous() || other.elements() != shape.elements()) {
            throw new IllegalArgumentException("cannot view " + shape + " (row stride " + rowStride + ") as " + other);
        }
        return of(segment, dtype, other);
    }

    /** Entries {@code from .. from+count-1} of the outermost dim. */
    public Tensor slice(long from, long count) {
        if (from < 0 || count < 0 || from + count > shape.dim(0)) {
            throw new IllegalArgumentException("slice " + from + "+" + count + " of " + shape);
        }
        long[] dims = new long[shape.rank()];
        dims[0] = count;
        for (int i = 1; i < dims.length; i++) {
            dims[i] = shape.dim(i);
        }
        if (shape.rank() == 1) {
            return of(segment.asSlice(from * dtype.bytes(), count * dtype.bytes()), dtype, Shape.of(dims));
        }
        long rowsPerEntry = shape.dim(0) == 0 ? 0 : shape.rows() / shape.dim(0);
        return new Tensor(
                segment.asSlice(from * rowsPerEntry * rowStride * dtype.bytes()), dtype, Shape.of(dims), rowStride);
    }

    /** Columns {@code from .. from+count-1} of every row, as a matrix (rows, count) with this tensor's row stride. */
    public Tensor columns(long from, long count) {
        if (from < 0 || count < 0 || from + count > shape.last()) {
            throw new IllegalArgumentException("columns " + from + "+" + count + " of " + shape);
        }
        return new Tensor(segment.asSlice(from * dtype.bytes()), dtype, Shape.of(shape.rows(), count), rowStride);
    }

    private long offset(long index) {
        long last = shape.last();
        return ((index / last) * rowStride + index % last) * dtype.bytes();
    }

    /** The element at a row-major index over the dims, whatever the dtype; for references, tests and tools (host memory only). */
    public double get(long index) {
        long offset = offset(index);
        return switch (dtype) {
            case F32 -> segment.get(FLOAT, offset);
            case BF16 -> DType.fromBf16(segment.get(ValueLayout.JAVA_SHORT, offset));
            case F16 -> DType.fromF16(segment.get(ValueLayout.JAVA_SHORT, offset));
            case F64 -> segment.get(ValueLayout.JAVA_DOUBLE, offset);
            case I32 -> segment.get(ValueLayout.JAVA_INT, offset);
        };
    }

    /** Sets what {@link #get} reads, rounded to the dtype. */
    public void set(long index, double value) {
        long offset = offset(index);
        switch (dtype) {
            case F32 -> segment.set(FLOAT, offset, (float) value);
            case BF16 -> segment.set(ValueLayout.JAVA_SHORT, offset, DType.toBf16((float) value));
            case F16 -> segment.set(ValueLayout.JAVA_SHORT, offset, DType.toF16((float) value));
            case F64 -> segment.set(ValueLayout.JAVA_DOUBLE, offset, value);
            case I32 -> segment.set(ValueLayout.JAVA_INT, offset, Math.toIntExact((long) value));
        }
    }

    @Override
    public String toString() {
        return dtype + shape.toString();
    }
}
