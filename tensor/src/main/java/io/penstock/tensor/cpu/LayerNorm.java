package io.penstock.tensor.cpu;

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
    private boolean half;

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
        workspace.requireRows(2, columns);
        half = Lanes.half(x_RC);
        this.eps = eps;
        rowsPerTile = Math.max(1, ELEMENTS / columns);
        workers.run(this, Math.toIntExact((rows + rowsPerTile - 1) / rowsPerTile));
    }

    @Override
    public void run(int tile, int thread) {
        long end = Math.min(rows, (tile + 1) * rowsPerTile);
        for (long row = tile * rowsPerTile; row < end; row++) {
            row(row, thread);
        }
    }

    private void row(long row, int thread) {
        long lanes = workspace.lanes(thread);
        long first = workspace.area(thread);
        long second = first + 4 * columns;
        long offset = row * columns * Lanes.bytes(half);
        long input = Bf16.read(half, x + offset, first, columns);
        if (residual != 0) {
            long other = Bf16.read(half, residual + offset, second, columns);
            long total = Bf16.target(half, sum + offset, first);
            Vectors.add(total, input, other, columns);
            Bf16.flush(half, sum + offset, total, columns);
            // what is normalised is the sum as it was rounded
            input = Bf16.read(half, sum + offset, first, columns);
        }
        float m = Vectors.sum(input, columns, lanes) / columns;
        float variance = VectorNorm.squares(input, m, columns, lanes) / columns;
        float r = (float) (1 / Math.sqrt((double) variance + eps));
        Lanes.putF32(mean, row, m);
        Lanes.putF32(rstd, row, r);
        VectorNorm.normalize(Bf16.target(half, y + offset, first), input, m, r, gain, bias, columns);
        Bf16.flush(half, y + offset, first, columns);
    }
}
