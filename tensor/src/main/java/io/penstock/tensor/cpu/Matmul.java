package io.penstock.tensor.cpu;

import io.penstock.tensor.DType;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.Write;
import org.jspecify.annotations.Nullable;

/** Matrix products in tiles of c. Sums over k are never split over threads. */
final class Matmul implements Tiles {
    /** Where oneDNN is within 3% of its best on one core for the shapes of GPT-2, and small enough to share out. */
    private static final int ROWS = 256;

    private static final int NARROW = 384;

    /** Better by 2% for activations and 10% for the head's weight gradient; taken where enough tiles to share out remain. */
    private static final int WIDE = 768;

    private static final int TILES_TO_SHARE = 32;

    /** Where b has {@link PagedRows}: oneDNN packs such a b for this number of columns, not for the others. */
    private static final int PACKED = 512;

    private final Workers workers;
    private final MatmulKernels kernels;

    private @Nullable MatmulKernel inner;
    private @Nullable MatmulKernel right;
    private @Nullable MatmulKernel bottom;
    private @Nullable MatmulKernel corner;
    private long a;
    private long b;
    private long c;
    private long bias;
    private long aRowBytes;
    private long bColumnBytes;
    private long cRowBytes;
    private long cColumnBytes;
    private int columns;
    private int tileRows;
    private int tileColumns;
    private int m;
    private int n;

    Matmul(Workers workers, MatmulKernels kernels) {
        this.workers = workers;
        this.kernels = kernels;
    }

    void run(
            Tensor c_MN,
            Tensor a,
            boolean transposeA,
            Tensor b,
            boolean transposeB,
            @Nullable Tensor bias_N,
            Write write) {
        m = Math.toIntExact(c_MN.shape().rows());
        n = Math.toIntExact(c_MN.shape().last());
        int k = Math.toIntExact(transposeA ? a.shape().rows() : a.shape().last());
        if (m == 0 || n == 0) {
            return;
        }
        DType type = Lanes.type(a);
        DType output = Lanes.type(c_MN);
        this.a = a.address();
        this.b = b.address();
        c = c_MN.address();
        bias = bias_N == null ? 0 : bias_N.address();
        aRowBytes = (transposeA ? 1 : a.rowStride()) * type.bytes();
        bColumnBytes = (transposeB ? b.rowStride() : 1) * type.bytes();
        cColumnBytes = output.bytes();
        cRowBytes = c_MN.rowStride() * cColumnBytes;
        if (k == 0) {
            emptySum(output, write);
            return;
        }
        int flags = MatmulShape.flags(
                transposeA, transposeB, type, output.isHalf(), bias_N != null, write == Write.ACCUMULATE);
        boolean paged = !transposeB && PagedRows.are(type, b.rowStride());
        boolean many = divideUp(m, ROWS) * divideUp(n, WIDE) >= TILES_TO_SHARE;
        columns = paged ? PACKED : many ? WIDE : NARROW;
        plan(k, a.rowStride(), b.rowStride(), c_MN.rowStride(), flags);
        workers.run(this, divideUp(m, ROWS) * divideUp(n, columns));
    }

    private void plan(int k, long lda, long ldb, long ldc, int flags) {
        kernels.beginOperation();
        tileRows = Math.min(m, ROWS);
        tileColumns = Math.min(n, columns);
        int lastRows = m - (divideUp(m, ROWS) - 1) * ROWS;
        int lastColumns = n - (divideUp(n, columns) - 1) * columns;
        inner = kernels.find(tileRows, tileColumns, k, lda, ldb, ldc, flags);
        right = kernels.find(tileRows, lastColumns, k, lda, ldb, ldc, flags);
        bottom = kernels.find(lastRows, tileColumns, k, lda, ldb, ldc, flags);
        corner = kernels.find(lastRows, lastColumns, k, lda, ldb, ldc, flags);
    }

    private static int divideUp(int n, int by) {
        return (n + by - 1) / by;
    }

    /** Neighbours in the order share columns of b. */
    @Override
    public void run(int tile, int thread) {
        int rowTiles = divideUp(m, ROWS);
        int row = tile % rowTiles * ROWS;
        int column = tile / rowTiles * columns;
        boolean lastRow = row + tileRows >= m;
        boolean lastColumn = column + tileColumns >= n;
        MatmulKernel kernel = lastRow ? (lastColumn ? corner : bottom) : (lastColumn ? right : inner);
        if (kernel == null) {
            throw new IllegalStateException("no product is planned");
        }
        kernel.run(
                thread,
                a + row * aRowBytes,
                b + column * bColumnBytes,
                c + row * cRowBytes + column * cColumnBytes,
                bias + 4L * column);
    }

    /** k = 0: the sum is nothing, the bias remains. */
    private void emptySum(DType output, Write write) {
        if (write == Write.ACCUMULATE) {
            return;
        }
        for (int i = 0; i < m; i++) {
            for (int j = 0; j < n; j++) {
                Lanes.put(output, c + i * cRowBytes, j, bias == 0 ? 0 : Lanes.getF32(bias, j));
            }
        }
    }
}
