package io.penstock.tensor.cpu;

import io.penstock.tensor.DType;
import io.penstock.tensor.Tensor;

/** y = (x - mean) * rstd * gain + bias over C, with or without x = a + b before it; tiles are rows. */
final class LayerNorm implements Tiles {
    private static final long ELEMENTS = 1 << 15;

    private final Workers workers;
    private final Workspace workspace;
    private final NormRows input;

    private long y;
    private long mean;
    private long rstd;
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
        this.input = new NormRows(workspace);
    }

    void forward(Tensor y_RC, Tensor mean_R, Tensor rstd_R, Tensor x_RC, Tensor gain_C, Tensor bias_C, float eps) {
        run(y_RC, mean_R, rstd_R, x_RC, gain_C, bias_C, eps, x_RC.address(), 0);
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
        run(y_RC, mean_R, rstd_R, x_RC, gain_C, bias_C, eps, sum_RC.address(), residual_RC.address());
    }

    private void run(
            Tensor y_RC,
            Tensor mean_R,
            Tensor rstd_R,
            Tensor x_RC,
            Tensor gain_C,
            Tensor bias_C,
            float eps,
            long sum,
            long residual) {
        y = y_RC.address();
        mean = mean_R.address();
        rstd = rstd_R.address();
        rows = x_RC.shape().rows();
        columns = x_RC.shape().last();
        type = Lanes.type(x_RC);
        input.plan(type, sum, x_RC.address(), residual, columns);
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
        long values = input.begin(row, thread);
        long lanes = workspace.lanes(thread);
        return (type == DType.BF16
                        ? VectorNormBf16.sum(values, columns, lanes)
                        : VectorNorm.sum(values, columns, lanes))
                / columns;
    }

    private float rstd(long row, float m, int thread) {
        long values = input.values(row, thread);
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
        long values = input.values(row, thread);
        if (type == DType.BF16) {
            VectorNormBf16.normalize(to, values, m, r, gain, bias, columns);
        } else {
            VectorNorm.normalize(Halves.target(type, to, values), values, m, r, gain, bias, columns);
            Halves.flush(type, to, values, columns);
        }
    }
}
