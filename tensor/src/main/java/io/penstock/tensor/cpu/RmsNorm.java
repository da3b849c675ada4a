package io.penstock.tensor.cpu;

import io.penstock.tensor.DType;
import io.penstock.tensor.Tensor;

/** y = x * rstd * gain over C, with or without x = a + b before it; tiles are rows. */
final class RmsNorm implements Tiles {
    private static final long ELEMENTS = 1 << 15;

    private final Workers workers;
    private final Workspace workspace;

    private long y;
    private long rstd;
    private long sum;
    private long x;
    private long residual;
    private long gain;
    private long rows;
    private long columns;
    private long rowsPerTile;
    private float eps;
    private DType type = DType.F32;

    RmsNorm(Workers workers, Workspace workspace) {
        this.workers = workers;
        this.workspace = workspace;
    }

    void forward(Tensor y_RC, Tensor rstd_R, Tensor x_RC, Tensor gain_C, float eps) {
        residual = 0;
        sum = x_RC.address();
        run(y_RC, rstd_R, x_RC, gain_C, eps);
    }

    void addForward(
            Tensor sum_RC, Tensor y_RC, Tensor rstd_R, Tensor x_RC, Tensor residual_RC, Tensor gain_C, float eps) {
        residual = residual_RC.address();
        sum = sum_RC.address();
        run(y_RC, rstd_R, x_RC, gain_C, eps);
    }

    private void run(Tensor y_RC, Tensor rstd_R, Tensor x_RC, Tensor gain_C, float eps) {
        y = y_RC.address();
        rstd = rstd_R.address();
        x = x_RC.address();
        rows = x_RC.shape().rows();
        columns = x_RC.shape().last();
        type = Lanes.type(x_RC);
        workspace.requireRows(type == DType.F32 ? 0 : 3, columns);
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
        float squares = type == DType.BF16
                ? VectorNormBf16.squares(values, 0, columns, lanes)
                : VectorNorm.squares(values, 0, columns, lanes);
        return (float) (1 / Math.sqrt((double) (squares / columns) + eps));
    }

    /** A row of x as the loops read it: where it lies, or F16 as F32, of which two rows are kept. */
    private long values(long row, int thread) {
        return type == DType.F16
                ? workspace.area(thread) + (row & 1) * 4 * columns
                : sum + row * columns * type.bytes();
    }

    private void normalize(long row, float r, int thread) {
        Lanes.putF32(rstd, row, r);
        long to = y + row * columns * type.bytes();
        long values = values(row, thread);
        if (type == DType.BF16) {
            VectorRms.normalizeBf16(to, values, r, gain, columns);
        } else {
            VectorRms.normalize(Halves.target(type, to, values), values, r, gain, columns);
            Halves.flush(type, to, values, columns);
        }
    }
}
