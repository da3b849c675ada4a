package io.penstock.tensor.cpu;

import java.util.function.Function;

/** A product whose kernel would need more scratch memory than a thread has, as two halves of its columns. */
final class SplitMatmul extends MatmulKernel {
    private final MatmulKernel left;
    private final MatmulKernel right;
    private final long bOffset;
    private final long cOffset;
    private final long biasOffset;

    SplitMatmul(MatmulShape shape, Function<MatmulShape, MatmulKernel> factory, long scratchBytes) {
        super(shape);
        int half = shape.n() / 2;
        if (half == 0) {
            throw new IllegalStateException("no kernel for " + shape + " within " + scratchBytes + " bytes");
        }
        left = factory.apply(columns(shape, half));
        right = factory.apply(columns(shape, shape.n() - half));
        bOffset = half * (shape.transposeB() ? shape.ldb() : 1) * shape.type().bytes();
        cOffset = (long) half * shape.output().bytes();
        biasOffset = half * 4L;
    }

    private static MatmulShape columns(MatmulShape s, int n) {
        return MatmulShape.of(s.m(), n, s.k(), s.lda(), s.ldb(), s.ldc(), s.flags());
    }

    @Override
    void run(int thread, long a, long b, long c, long bias) {
        left.run(thread, a, b, c, bias);
        right.run(thread, a, b + bOffset, c + cOffset, bias + biasOffset);
    }

    @Override
    void close() {
        left.close();
        right.close();
    }
}
