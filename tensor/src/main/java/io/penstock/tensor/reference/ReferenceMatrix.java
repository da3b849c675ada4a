package io.penstock.tensor.reference;

import io.penstock.tensor.Tensor;
import io.penstock.tensor.Write;
import org.jspecify.annotations.Nullable;

/** Matrix products and row sums. */
final class ReferenceMatrix {
    private ReferenceMatrix() {}

    /** c[i][j] = sum_k op(a)[i][k] op(b)[k][j] (+ bias[j]). */
    static void matmul(
            Tensor c, Tensor a, boolean transposeA, Tensor b, boolean transposeB, @Nullable Tensor bias, Write write) {
        int m = Math.toIntExact(c.shape().rows());
        int n = Math.toIntExact(c.shape().last());
        int k = Math.toIntExact(transposeA ? a.shape().rows() : a.shape().last());
        // Both operands with k innermost.
        double[] a_MK = transposeA ? transpose(Values.read(a), k, m) : Values.read(a);
        double[] b_NK = transposeB ? Values.read(b) : transpose(Values.read(b), k, n);
        double[] bias_N = bias == null ? new double[n] : Values.read(bias);
        double[] c_MN = new double[m * n];
        for (int i = 0; i < m; i++) {
            for (int j = 0; j < n; j++) {
                double sum = 0;
                for (int l = 0; l < k; l++) {
                    sum += a_MK[i * k + l] * b_NK[j * k + l];
                }
                c_MN[i * n + j] = sum + bias_N[j];
            }
        }
        switch (write) {
            case OVERWRITE -> Values.write(c, c_MN);
            case ACCUMULATE -> Values.accumulate(c, c_MN);
        }
    }

    /** db[j] += sum_i dy[i][j]. */
    static void sumRows(Tensor db_N, Tensor dy_RN) {
        double[] dy = Values.read(dy_RN);
        double[] db = new double[Math.toIntExact(db_N.elements())];
        for (int i = 0; i < dy.length; i++) {
            db[i % db.length] += dy[i];
        }
        Values.accumulate(db_N, db);
    }

    private static double[] transpose(double[] x, int rows, int columns) {
        double[] transposed = new double[x.length];
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < columns; j++) {
                transposed[j * rows + i] = x[i * columns + j];
            }
        }
        return transposed;
    }
}
