package io.penstock.tensor.cpu;

import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * A BF16 or F16 product where oneDNN has none, or emulates it (BF16 on AVX-512 without its BF16 instructions): pieces of a are widened next to its scratch memory, and
 * oneDNN, which multiplies F32 by such a b, widens b as it packs it. Sums run over k in pieces in order, in F32; a 16-bit result is rounded once.
 */
final class WidenedMatmul extends MatmulKernel {
    /** The largest pieces: what is widened, and the sums, stay in the second cache. */
    private static final int ROWS = 256;

    private static final int COLUMNS = 768;
    private static final int DEPTH = 768;

    private static final long A_BYTES = 4L * ROWS * DEPTH;
    private static final long SUMS_BYTES = 4L * ROWS * COLUMNS;

    /** What is left of a thread's room for products to oneDNN's own scratch memory. */
    private static final long SCRATCH_BYTES = Workspace.MATMUL_BYTES - A_BYTES - SUMS_BYTES;

    private final Workspace workspace;
    private final int deepest;

    /** Whether oneDNN rounds the result itself, since all of k is one piece. */
    private final boolean rounds;

    /** By [shorter rows][shorter columns][shorter depth][adds to what is there]. */
    private final MatmulKernel[] kernels = new MatmulKernel[16];

    private WidenedMatmul(MatmulShape shape, boolean rounds, OneDnnMatmuls factory, Workspace workspace) {
        super(shape);
        this.workspace = workspace;
        this.deepest = deepest(shape);
        this.rounds = rounds;
        Map<MatmulShape, MatmulKernel> made = new HashMap<>();
        for (int i = 0; i < kernels.length; i++) {
            kernels[i] = made.computeIfAbsent(piece(shape, i, rounds), piece -> factory.create(piece, SCRATCH_BYTES));
        }
    }

    /** Null where oneDNN has no code for a piece of it. */
    static @Nullable WidenedMatmul create(MatmulShape shape, OneDnnMatmuls factory, Workspace workspace) {
        boolean rounds = shape.halfOutput() && shape.k() <= DEPTH && allPieces(shape, true, factory::isFast);
        return rounds || allPieces(shape, false, factory::isFast)
                ? new WidenedMatmul(shape, rounds, factory, workspace)
                : null;
    }

    private static boolean allPieces(MatmulShape shape, boolean rounded, Predicate<MatmulShape> condition) {
        return IntStream.range(0, 16)
                .mapToObj(i -> piece(shape, i, rounded))
                .distinct()
                .allMatch(condition);
    }

    /** Of the pieces of k, which are about equal; whole vectors. */
    private static int deepest(MatmulShape shape) {
        int count = (shape.k() - 1) / DEPTH + 1;
        int vectors = (shape.k() - 1) / (count * Lanes.COUNT) + 1;
        return Math.min(shape.k(), vectors * Lanes.COUNT);
    }

    private static int rest(int n, int piece) {
        return n - (n - 1) / piece * piece;
    }

    private static MatmulShape piece(MatmulShape shape, int which, boolean rounded) {
        int deepest = deepest(shape);
        int rows = (which & 8) == 0 ? Math.min(shape.m(), ROWS) : rest(shape.m(), ROWS);
        int columns = (which & 4) == 0 ? Math.min(shape.n(), COLUMNS) : rest(shape.n(), COLUMNS);
        int depth = (which & 2) == 0 ? deepest : rest(shape.k(), deepest);
        // where it does not matter: as a neighbour
        boolean adds = shape.accumulate() || (shape.k() > deepest && (which & 3) != 0);
        long lda = shape.transposeA() ? rows : depth;
        long ldc = shape.halfOutput() && !rounded ? columns : shape.ldc();
        boolean bias = shape.bias() && !adds;
        int flags = MatmulShape.flags(shape.transposeA(), shape.transposeB(), shape.type(), rounded, bias, adds);
        return MatmulShape.of(rows, columns, depth, lda, shape.ldb(), ldc, flags | MatmulShape.WIDE_A);
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
        int rows = Math.min(ROWS, shape.m() - row);
        int columns = Math.min(COLUMNS, shape.n() - column);
        long to = c + (row * shape.ldc() + column) * shape.output().bytes();
        boolean narrows = shape.halfOutput() && !rounds;
        long sums = narrows ? wideA + A_BYTES : to;
        int which = (rows < Math.min(shape.m(), ROWS) ? 8 : 0) + (columns < Math.min(shape.n(), COLUMNS) ? 4 : 0);
        for (int from = 0; from < shape.k(); from += deepest) {
            int depth = Math.min(deepest, shape.k() - from);
            widen(wideA, a, row, rows, from, depth);
            long factor = b + 2 * (shape.transposeB() ? column * shape.ldb() + from : from * shape.ldb() + column);
            int kernel = which + (depth < deepest ? 2 : 0) + (from > 0 || shape.accumulate() ? 1 : 0);
            kernels[kernel].run(thread, wideA, factor, sums, bias + 4L * column);
        }
        if (narrows) {
            for (int i = 0; i < rows; i++) {
                Halves.narrow(shape.type(), to + 2L * i * shape.ldc(), sums + 4L * i * columns, columns);
            }
        }
    }

    /** The F32 values of a piece of a, stored as a is. */
    private void widen(long to, long a, int row, int rows, int from, int depth) {
        boolean transposed = shape.transposeA();
        int count = transposed ? depth : rows;
        int length = transposed ? rows : depth;
        long first = transposed ? from * shape.lda() + row : row * shape.lda() + from;
        for (int i = 0; i < count; i++) {
            Halves.widen(shape.type(), to + 4L * i * length, a + 2 * (first + i * shape.lda()), length);
        }
    }

    @Override
    void close() {
        new HashSet<>(Arrays.asList(kernels)).forEach(MatmulKernel::close);
    }
}
