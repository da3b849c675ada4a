package io.penstock.tensor.cpu;

import io.penstock.tensor.DType;
import io.penstock.tensor.Tensor;

/** y = x * rstd * gain over C, with or without x = a + b before it; tiles are rows. */
final class RmsNorm implements Tiles {
    private static final long ELEMENTS = 1 << 15;

    private final Workers workers;
    private final Workspace workspace;
    private final NormRows input;

    private long y;
    private long rstd;
    private long gain;
    private long rows;
    private long columns;
    private long rowsPerTile;
    private float eps;
    private DType type = DType.F32;

    RmsNorm(Workers workers, Workspace workspace) {
        this.workers = workers;
        this.workspace = workspace;
        this.input = new NormRows(workspace);
    }

    void forward(Tensor y_RC, Tensor rstd_R, Tensor x_RC, Tensor gain_C, float eps) {
        run(y_RC, rstd_R, x_RC, gain_C, eps, x_RC.address(), 0);
    }

    void addForward(
            Tensor sum_RC, Tensor y_RC, Tensor rstd_R, Tensor x_RC, Tensor residual_RC, Tensor gain_C, float eps) {
        run(y_RC, rstd_R, x_RC, gain_C, eps, sum_RC.address(), residual_RC.address());
    }

    private void run(Tensor y_RC, Tensor rstd_R, Tensor x_RC, Tensor gain_C, float eps, long sum, long residual) {
        y = y_RC.address();
        rstd = rstd_R.address();
        rows = x_RC.shape().rows();
        columns = x_RC.shape().last();
        type = Lanes.type(x_RC);
        input.plan(type, sum, x_RC.address(), residual, columns);
        gain = SplitVectors.of(type, gain_C.address(), 0, columns, workspace);
        this.eps = eps;
        rowsPerTile = Math.max(1, ELEMENTS / columns);
        workers.run(this, Math.toIntExact((rows + rowsPerTile - 1) / rowsPerTile));
    }

    /** The sum of a row takes long to come together: the next row is begun meanwhile. */
    @Override
    public void run(int tile, int thread) {
        long first = tile * rowsPerTile;
        long end = Math.min(rows, first + rowsPerTile);
        float r = rstd(first, thread);
        for (long row = first; row < end; row++) {
            float next = row + 1 < end ? rstd(row + 1, thread) : 0;
            normalize(row, r, thread);
            r = next;
        }
    }

    private float rstd(long row, int thread) {
        long values = input.begin(row, thread);
        long lanes = workspace.lanes(thread);
        float squares = type == DType.BF16
                ? VectorNormBf16.squares(values, 0, columns, lanes)
                : VectorNorm.squares(values, 0, columns, lanes);
        return (float) (1 / Math.sqrt((double) (squares / columns) + eps));
    }

    private void normalize(long row, float r, int thread) {
        Lanes.putF32(rstd, row, r);
        long to = y + row * columns * type.bytes();
        long values = input.values(row, thread);
        if (type == DType.BF16) {
            VectorRms.normalizeBf16(to, values, r, gain, columns);
        } else {
            VectorRms.normalize(Halves.target(type, to, values), values, r, gain, columns);
            Halves.flush(type, to, values, columns);
        }
    }
}
