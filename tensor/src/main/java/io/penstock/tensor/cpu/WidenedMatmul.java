package io.penstock.tensor.cpu;

import io.penstock.tensor.DType;
import java.util.Arrays;
import java.util.HashSet;

/**
 * A BF16 or F16 product where oneDNN has only F32 ones, or emulates the others (BF16 on AVX-512 without its BF16 instructions): pieces of both factors are widened next to
 * its scratch memory and multiplied there. Sums run over k in pieces in order, in F32; a 16-bit result is rounded once.
 */
final class WidenedMatmul extends MatmulKernel {
    private static final int ROWS = 256;
    private static final int COLUMNS = 256;
    private static final int DEPTH = 512;

    private static final long A_BYTES = 4L * ROWS * DEPTH;
    private static final long B_BYTES = 4L * DEPTH * COLUMNS;
    private static final long SUMS_BYTES = 4L * ROWS * COLUMNS;

    /** What is left of a thread's room for products to oneDNN's own scratch memory. */
    static final long SCRATCH_BYTES = Workspace.MATMUL_BYTES - A_BYTES - B_BYTES - SUMS_BYTES;

    private final Workspace workspace;

    /** By [shorter rows][shorter columns][shorter depth][adds to what is there]. */
    private final MatmulKernel[] kernels = new MatmulKernel[16];

    WidenedMatmul(MatmulShape shape, OneDnnMatmuls factory, Workspace workspace) {
        super(shape);
        this.workspace = workspace;
        for (int i = 0; i < kernels.length; i++) {
            int rows = (i & 8) == 0 ? Math.min(shape.m(), ROWS) : rest(shape.m(), ROWS);
            int columns = (i & 4) == 0 ? Math.min(shape.n(), COLUMNS) : rest(shape.n(), COLUMNS);
            int depth = (i & 2) == 0 ? Math.min(shape.k(), DEPTH) : rest(shape.k(), DEPTH);
            boolean adds = shape.accumulate()
                    || (shape.k() > DEPTH && (i & 3) != 0); // where it does not matter: as a neighbour
            kernels[i] = kernel(i, piece(rows, columns, depth, adds), factory);
        }
    }

    /** One of those before, if it is the same: many products have pieces of one size alone. */
    private MatmulKernel kernel(int before, MatmulShape piece, OneDnnMatmuls factory) {
        for (int i = 0; i < before; i++) {
            if (kernels[i].shape.equals(piece)) {
                return kernels[i];
            }
        }
        return factory.createF32(piece, SCRATCH_BYTES);
    }

    private static int rest(int n, int piece) {
        return n - (n - 1) / piece * piece;
    }

    private MatmulShape piece(int rows, int columns, int depth, boolean adds) {
        long lda = shape.transposeA() ? rows : depth;
        long ldb = shape.transposeB() ? depth : columns;
        long ldc = shape.halfOutput() ? columns : shape.ldc();
        boolean bias = shape.bias() && !adds;
        int flags = MatmulShape.flags(shape.transposeA(), shape.transposeB(), DType.F32, false, bias, adds);
        return MatmulShape.of(rows, columns, depth, lda, ldb, ldc, flags);
    }

    @Override
    void run(int thread, long a, long b, long c, long bias) {
        for (int column = 0; column < shape.n(); column += COLUMNS) {
            for (int row = 0; row < shape.m(); row += ROWS) {
                tile(thread, row, column, a, b, c, bias);
            }
        }
    }

    private void tile(int thread, int row, int column, long a, long b, long c, long bias) {
        long wideA = workspace.matmul(thread) + SCRATCH_BYTES;
        long wideB = wideA + A_BYTES;
        long sums = wideB + B_BYTES;
        int rows = Math.min(ROWS, shape.m() - row);
        int columns = Math.min(COLUMNS, shape.n() - column);
        long to = c + (row * shape.ldc() + column) * shape.output().bytes();
        int which = (rows < Math.min(shape.m(), ROWS) ? 8 : 0) + (columns < Math.min(shape.n(), COLUMNS) ? 4 : 0);
        for (int from = 0; from < shape.k(); from += DEPTH) {
            int depth = Math.min(DEPTH, shape.k() - from);
            widen(wideA, a, shape.lda(), shape.transposeA(), row, rows, from, depth);
            widen(wideB, b, shape.ldb(), !shape.transposeB(), column, columns, from, depth);
            int kernel =
                    which + (depth < Math.min(shape.k(), DEPTH) ? 2 : 0) + (from > 0 || shape.accumulate() ? 1 : 0);
            kernels[kernel].run(thread, wideA, wideB, shape.halfOutput() ? sums : to, bias + 4L * column);
        }
        if (shape.halfOutput()) {
            for (int i = 0; i < rows; i++) {
                Halves.narrow(shape.type(), to + 2L * i * shape.ldc(), sums + 4L * i * columns, columns);
            }
        }
    }

    /** The F32 values of a piece, rows of k where {@code depthFirst}, else rows of the other dim. */
    private void widen(long to, long x, long stride, boolean depthFirst, int at, int count, int from, int depth) {
        int rows = depthFirst ? depth : count;
        int columns = depthFirst ? count : depth;
        long first = depthFirst ? from * stride + at : at * stride + from;
        for (int i = 0; i < rows; i++) {
            Halves.widen(shape.type(), to + 4L * i * columns, x + 2 * (first + i * stride), columns);
        }
    }

    @Override
    void close() {
        new HashSet<>(Arrays.asList(kernels)).forEach(MatmulKernel::close);
    }
}
