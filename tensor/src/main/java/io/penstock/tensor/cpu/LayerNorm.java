package io.penstock.tensor.cpu;

import io.penstock.tensor.DType;
import io.penstock.tensor.Tensor;

/** y = (x - mean) * rstd * gain + bias over C, with or without x = a + b before it; tiles are rows. */
final class LayerNorm implements Tiles {
    private static final long ELEMENTS = 1 << 14;

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
        gain = gain_C.address();
        bias = bias_C.address();
        rows = x_RC.shape().rows();
        columns = x_RC.shape().last();
        type = Lanes.type(x_RC);
        workspace.requireRows(type == DType.F16 ? 1 : 0, columns);
        this.eps = eps;
        rowsPerTile = Math.max(1, ELEMENTS / columns);
        workers.run(this, Math.toIntExact((rows + rowsPerTile - 1) / rowsPerTile));
    }

    @Override
    public void run(int tile, int thread) {
        long end = Math.min(rows, (tile + 1) * rowsPerTile);
        int bytes = type.bytes();
        for (long row = tile * rowsPerTile; row < end; row++) {
            long offset = row * columns * bytes;
            if (residual != 0) {
                Halves.sum(type, sum + offset, x + offset, residual + offset, columns, workspace.area(thread));
            }
            // what is normalised is the sum as it was rounded
            row(row, y + offset, sum + offset, workspace.lanes(thread), workspace.area(thread));
        }
    }

    /** {@code scratch}: room for a row of F16 as F32. */
    private void row(long row, long y, long x, long lanes, long scratch) {
        boolean bf16 = type == DType.BF16;
        long values = bf16 ? x : Halves.read(type, x, scratch, columns);
        float m = (bf16 ? VectorNormBf16.sum(x, columns, lanes) : VectorNorm.sum(values, columns, lanes)) / columns;
        float squares =
                bf16 ? VectorNormBf16.squares(x, m, columns, lanes) : VectorNorm.squares(values, m, columns, lanes);
        float r = (float) (1 / Math.sqrt((double) (squares / columns) + eps));
        Lanes.putF32(mean, row, m);
        Lanes.putF32(rstd, row, r);
        if (bf16) {
            VectorNormBf16.normalize(y, x, m, r, gain, bias, columns);
        } else {
            VectorNorm.normalize(Halves.target(type, y, scratch), values, m, r, gain, bias, columns);
            Halves.flush(type, y, scratch, columns);
        }
    }
}
