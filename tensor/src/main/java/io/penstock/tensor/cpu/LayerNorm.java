package io.penstock.tensor.cpu;

import io.penstock.tensor.DType;
import io.penstock.tensor.Tensor;

/** y = (x - mean) * rstd * gain + bias over C, with or without x = a + b before it; tiles are rows. */
final class LayerNorm implements Tiles {
    private static final long ELEMENTS = 1 << 15;

    private final Workers workers;
    private final Workspace workspace;

    private long y;
    private long mean;
    private long rstd;
    private long sum;
    private long x;
    private long residual;
    private long gain;
    private long bias;
    private long rows;
    private long columns;
    private long rowsPerTile;
    private float eps;
    private DType type = DType.F32;

    LayerNorm(Workers workers, Workspace workspace) {
        this.workers = workers;
        this.workspace = workspace;
    }

    void forward(Tensor y_RC, Tensor mean_R, Tensor rstd_R, Tensor x_RC, Tensor gain_C, Tensor bias_C, float eps) {
        residual = 0;
        sum = x_RC.address();
        run(y_RC, mean_R, rstd_R, x_RC, gain_C, bias_C, eps);
    }

    void addForward(
            Tensor sum_RC,
            Tensor y_RC,
            Tensor mean_R,
            Tensor rstd_R,
            Tensor x_RC,
            Tensor residual_RC,
            Tensor gain_C,
            Tensor bias_C,
            float eps) {
        residual = residual_RC.address();
        sum = sum_RC.address();
        run(y_RC, mean_R, rstd_R, x_RC, gain_C, bias_C, eps);
    }

    private void run(Tensor y_RC, Tensor mean_R, Tensor rstd_R, Tensor x_RC, Tensor gain_C, Tensor bias_C, float eps) {
        y = y_RC.address();
        mean = mean_R.address();
        rstd = rstd_R.address();
        x = x_RC.address();
        rows = x_RC.shape().rows();
        columns = x_RC.shape().last();
        type = Lanes.type(x_RC);
        workspace.requireRows(type == DType.F32 ? 0 : 3, columns);
        gain = SplitVectors.of(type, gain_C.address(), 0, columns, workspace);
        bias = SplitVectors.of(type, bias_C.address(), 1, columns, workspace);
        this.eps = eps;
        rowsPerTile = Math.max(1, ELEMENTS / columns);
        workers.run(this, Math.toIntExact((rows + rowsPerTile - 1) / rowsPerTile));
    }

    /** The sums of a row take long to come together: the next row is begun meanwhile. */
    @Override
    public void run(int tile, int thread) {
        long first = tile * rowsPerTile;
        long end = Math.min(rows, first + rowsPerTile);
        float m = mean(first, thread);
        for (long row = first; row < end; row++) {
            float r = rstd(row, m, thread);
            float next = row + 1 < end ? mean(row + 1, thread) : 0;
            normalize(row, m, r, thread);
            m = next;
        }
    }

    private float mean(long row, int thread) {
        long at = row * columns * type.bytes();
        long scratch = workspace.area(thread);
        if (residual != 0) {
            Halves.sum(type, sum + at, x + at, residual + at, columns, scratch + 8 * columns);
        }
        // what is normalised is the sum as it was rounded
        long values = values(row, thread);
        if (type == DType.F16) {
            VectorF16.widen(values, sum + at, columns);
        }
        long lanes = workspace.lanes(thread);
        return (type == DType.BF16
                        ? VectorNormBf16.sum(values, columns, lanes)
                        : VectorNorm.sum(values, columns, lanes))
                / columns;
    }

    /** A row of x as the loops read it: where it lies, or F16 as F32, of which two rows are kept. */
    private long values(long row, int thread) {
        return type == DType.F16
                ? workspace.area(thread) + (row & 1) * 4 * columns
                : sum + row * columns * type.bytes();
    }

    private float rstd(long row, float m, int thread) {
        long values = values(row, thread);
        long lanes = workspace.lanes(thread);
        float squares = type == DType.BF16
                ? VectorNormBf16.squares(values, m, columns, lanes)
                : VectorNorm.squares(values, m, columns, lanes);
        return (float) (1 / Math.sqrt((double) (squares / columns) + eps));
    }

    private void normalize(long row, float m, float r, int thread) {
        Lanes.putF32(mean, row, m);
        Lanes.putF32(rstd, row, r);
        long to = y + row * columns * type.bytes();
        long values = values(row, thread);
        if (type == DType.BF16) {
            VectorNormBf16.normalize(to, values, m, r, gain, bias, columns);
        } else {
            VectorNorm.normalize(Halves.target(type, to, values), values, m, r, gain, bias, columns);
            Halves.flush(type, to, values, columns);
        }
    }
}
