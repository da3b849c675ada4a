package io.penstock.tensor.cpu;

import io.penstock.tensor.DType;

/** What oneDNN knows of the product of a shape before it makes code for it. */
final class OneDnnProduct implements AutoCloseable {
    final long a;
    final long b;
    final long c;

    /** 0: none. */
    final long bias;

    /** 0: this machine has no such product. */
    final long primitive;

    private final long attributes;

    OneDnnProduct(long engine, MatmulShape shape) {
        a = matrix(shape.m(), shape.k(), shape.typeA(), shape.transposeA(), shape.lda());
        b = matrix(shape.k(), shape.n(), shape.type(), shape.transposeB(), shape.ldb());
        c = matrix(shape.m(), shape.n(), shape.output(), false, shape.ldc());
        bias = shape.bias() ? matrix(1, shape.n(), DType.F32, false, shape.n()) : 0;
        attributes = OneDnn.createAttributes(shape.accumulate());
        primitive = create(engine);
    }

    private long create(long engine) {
        try {
            return OneDnn.createMatmul(engine, a, b, bias, c, attributes);
        } catch (IllegalStateException e) {
            destroyParts();
            throw e;
        }
    }

    private static long matrix(long rows, long columns, DType dtype, boolean transposed, long leading) {
        int type = switch (dtype) {
            case BF16 -> OneDnn.BF16;
            case F16 -> OneDnn.F16;
            case F32 -> OneDnn.F32;
            case F64, I32 -> throw new IllegalStateException("no products of " + dtype);
        };
        return transposed
                ? OneDnn.createMatrix(rows, columns, type, 1, leading)
                : OneDnn.createMatrix(rows, columns, type, leading, 1);
    }

    boolean exists() {
        return primitive != 0;
    }

    /** Whether it exists and is more than a loop of scalars, which oneDNN has for types that it does not care about. */
    boolean isFast() {
        return exists() && !OneDnn.implementation(primitive).startsWith("ref");
    }

    /** A descriptor that this owns. */
    long scratchpad() {
        return OneDnn.scratchpad(primitive);
    }

    long scratchBytes() {
        return OneDnn.size(scratchpad());
    }

    @Override
    public void close() {
        if (primitive != 0) {
            OneDnn.destroyPrimitiveDescriptor(primitive);
        }
        destroyParts();
    }

    private void destroyParts() {
        OneDnn.destroyAttributes(attributes);
        OneDnn.destroyDescriptor(a);
        OneDnn.destroyDescriptor(b);
        OneDnn.destroyDescriptor(c);
        if (bias != 0) {
            OneDnn.destroyDescriptor(bias);
        }
    }
}
