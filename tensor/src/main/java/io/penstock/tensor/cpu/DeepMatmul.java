package io.penstock.tensor.cpu;

/**
 * A product with a long sum, as the head's input gradient is, in pieces of k: oneDNN copies all of b's columns that a product needs before it starts, and past
 * some thousand rows that copy leaves the cache. A BF16 result is summed in F32 in the thread's area and rounded once.
 */
final class DeepMatmul extends MatmulKernel {
    /** Products with longer sums than this are cut. */
    static final int LONGEST = 8192;

    private static final int PIECE = 1024;

    private final Workspace workspace;
    private final MatmulKernel first;
    private final MatmulKernel next;
    private final MatmulKernel last;
    private final long aOffset;
    private final long bOffset;

    DeepMatmul(MatmulShape shape, MatmulKernels.Factory factory, Workspace workspace) {
        super(shape);
        this.workspace = workspace;
        long ldc = shape.halfOutput() ? shape.n() : shape.ldc();
        int flags = shape.flags() & ~MatmulShape.HALF_OUTPUT;
        int adding = (flags & ~MatmulShape.BIAS) | MatmulShape.ACCUMULATE;
        int rest = shape.k() - (shape.k() - 1) / PIECE * PIECE;
        first = factory.create(piece(shape, PIECE, ldc, flags));
        next = factory.create(piece(shape, PIECE, ldc, adding));
        last = factory.create(piece(shape, rest, ldc, adding));
        aOffset = PIECE * (shape.transposeA() ? shape.lda() : 1) * shape.typeA().bytes();
        bOffset = PIECE * (shape.transposeB() ? 1 : shape.ldb()) * shape.type().bytes();
    }

    /** Whether this is the better way, and the sums have room. */
    static boolean suits(MatmulShape shape) {
        return shape.k() > LONGEST && !shape.transposeA() && 4L * shape.m() * shape.n() <= Workspace.AREA_BYTES;
    }

    private static MatmulShape piece(MatmulShape s, int k, long ldc, int flags) {
        return MatmulShape.of(s.m(), s.n(), k, s.lda(), s.ldb(), ldc, flags);
    }

    @Override
    void run(int thread, long a, long b, long c, long bias) {
        long sums = shape.halfOutput() ? workspace.area(thread) : c;
        int pieces = (shape.k() - 1) / PIECE + 1;
        first.run(thread, a, b, sums, bias);
        for (int i = 1; i < pieces; i++) {
            (i == pieces - 1 ? last : next).run(thread, a + i * aOffset, b + i * bOffset, sums, 0);
        }
        if (shape.halfOutput()) {
            for (int row = 0; row < shape.m(); row++) {
                Halves.narrow(shape.type(), c + 2L * row * shape.ldc(), sums + 4L * row * shape.n(), shape.n());
            }
        }
    }

    @Override
    void close() {
        first.close();
        next.close();
        last.close();
    }
}
