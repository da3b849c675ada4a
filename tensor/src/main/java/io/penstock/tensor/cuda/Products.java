package io.penstock.tensor.cuda;

import io.penstock.tensor.DType;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.Write;
import io.penstock.tensor.cuda.Launcher.Typed;
import org.jspecify.annotations.Nullable;

/** Matrix products by cuBLAS, their biases and bias gradients by moves.cu. */
final class Products {
    /** Products whose bias waits for them are made in pieces of this many bytes, small enough to stay in a card's second cache. */
    private static final long PIECE_BYTES = 16 << 20;

    private final Launcher launcher;
    private final Gpu gpu;
    private final Typed biasRows;
    private final Slices slices;
    private final Typed sumSlices;

    Products(Launcher launcher, Slices slices) {
        this.launcher = launcher;
        this.slices = slices;
        gpu = launcher.gpu();
        biasRows = Typed.of(gpu, "moves", "bias_rows");
        sumSlices = Typed.of(gpu, "moves", "sum_slices");
    }

    void matmul(
            Tensor c_MN,
            Tensor a,
            boolean transposeA,
            Tensor b,
            boolean transposeB,
            @Nullable Tensor bias_N,
            Write write) {
        long rows = c_MN.shape().rows();
        if (c_MN.elements() == 0) {
            return;
        }
        if (bias_N == null) {
            multiply(
                    c_MN.address(),
                    c_MN.dtype(),
                    c_MN.rowStride(),
                    c_MN.shape().last(),
                    0,
                    rows,
                    a,
                    transposeA,
                    b,
                    transposeB,
                    write);
        } else if (c_MN.dtype() == DType.F32) {
            addBias(c_MN, 0, rows, 0, bias_N);
            multiply(
                    c_MN.address(),
                    DType.F32,
                    c_MN.rowStride(),
                    c_MN.shape().last(),
                    0,
                    rows,
                    a,
                    transposeA,
                    b,
                    transposeB,
                    Write.ACCUMULATE);
        } else {
            multiplyInPieces(c_MN, a, transposeA, b, transposeB, bias_N);
        }
    }

    /** Sums in F32, then bias and the one rounding: cublasGemmEx has no place for a bias, and a rounded product plus a bias is rounded twice. */
    private void multiplyInPieces(
            Tensor c_MN, Tensor a, boolean transposeA, Tensor b, boolean transposeB, Tensor bias_N) {
        long columns = c_MN.shape().last();
        long rowBytes = columns * Float.BYTES;
        long rows = c_MN.shape().rows();
        long piece = Math.max(1, Math.min(PIECE_BYTES, launcher.scratchBytes()) / rowBytes);
        long scratch = launcher.scratch("a matrix product with a bias", Math.min(piece, rows) * rowBytes);
        for (long from = 0; from < rows; from += piece) {
            long count = Math.min(piece, rows - from);
            multiply(scratch, DType.F32, columns, columns, from, count, a, transposeA, b, transposeB, Write.OVERWRITE);
            addBias(c_MN, from, count, scratch, bias_N);
        }
    }

    private void addBias(Tensor c_MN, long from, long rows, long product, Tensor bias_N) {
        long columns = c_MN.shape().last();
        launcher.begin()
                .put(c_MN.address() + from * c_MN.rowStride() * c_MN.dtype().bytes())
                .put(product)
                .put(bias_N)
                .put(rows)
                .put(columns)
                .put(c_MN.rowStride())
                .launchOverRows(biasRows.of(c_MN.dtype()), rows, columns);
    }

    /**
     * Rows {@code from}.. of op(a) times op(b). cuBLAS is column-major: a row-major (rows, columns) matrix of some row stride is to it a (columns, rows)
     * matrix of that leading dimension, so c' = op(b)' op(a)' is asked for, with the transposes as they are.
     */
    private void multiply(
            long c,
            DType result,
            long cStride,
            long columns,
            long from,
            long rows,
            Tensor a,
            boolean transposeA,
            Tensor b,
            boolean transposeB,
            Write write) {
        long k = transposeA ? a.shape().rows() : a.shape().last();
        long firstRow = a.address()
                + from * (transposeA ? 1 : a.rowStride()) * a.dtype().bytes();
        gpu.gemm(
                transposeB,
                transposeA,
                Math.toIntExact(columns),
                Math.toIntExact(rows),
                Math.toIntExact(k),
                a.dtype(),
                b.address(),
                Math.toIntExact(b.rowStride()),
                firstRow,
                Math.toIntExact(a.rowStride()),
                write == Write.ACCUMULATE ? 1 : 0,
                result,
                c,
                Math.toIntExact(cStride),
                launcher.matmulWorkspace(),
                launcher.matmulBytes());
    }

    void sumRows(Tensor db_N, Tensor dy_RN) {
        long rows = dy_RN.shape().rows();
        long columns = dy_RN.shape().last();
        long perSlice = slices.rowsPerSlice(rows, columns);
        launcher.begin()
                .put(launcher.scratch())
                .put(dy_RN)
                .put(rows)
                .put(columns)
                .put(dy_RN.rowStride())
                .put(perSlice);
        slices.launch(sumSlices.of(dy_RN.dtype()), rows, columns, perSlice, 1);
        slices.add(db_N, launcher.scratch(), columns, rows, perSlice, columns);
    }
}
