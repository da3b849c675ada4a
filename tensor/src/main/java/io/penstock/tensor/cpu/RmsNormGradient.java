package io.penstock.tensor.cpu;

import io.penstock.tensor.DType;
import io.penstock.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/** With h = x * rstd and g = dy * gain: dx = dresidual + rstd * (g - h * mean_c(g h)); dgain += sum_r(dy h), which each block of rows sums alone. */
final class RmsNormGradient implements Tiles {
    private final Workers workers;
    private final Workspace workspace;
    private final RowBlocks blocks;

    private long dx;
    private long dy;
    private long dresidual;
    private long x;
    private long gain;
    private long rstd;
    private long columns;
    private DType type = DType.F32;

    RmsNormGradient(Workers workers, Workspace workspace, RowBlocks blocks) {
        this.workers = workers;
        this.workspace = workspace;
        this.blocks = blocks;
    }

    void run(
            Tensor dx_RC,
            Tensor dgain_C,
            Tensor dy_RC,
            @Nullable Tensor dresidual_RC,
            Tensor x_RC,
            Tensor gain_C,
            Tensor rstd_R) {
        dx = dx_RC.address();
        dy = dy_RC.address();
        dresidual = dresidual_RC == null ? 0 : dresidual_RC.address();
        x = x_RC.address();
        rstd = rstd_R.address();
        columns = x_RC.shape().last();
        type = Lanes.type(x_RC);
        workspace.requireRows(type == DType.F32 ? 0 : 3, columns);
        gain = SplitVectors.of(type, gain_C.address(), 0, columns, workspace);
        blocks.plan(x_RC.shape().rows(), columns, 1, type == DType.BF16);
        workers.run(this, blocks.count());
        blocks.addTo(dgain_C.address(), 0);
    }

    @Override
    public void run(int block, int thread) {
        long dgain = blocks.partial(block);
        Vectors.zero(dgain, columns);
        for (long row = blocks.firstRow(block); row < blocks.endRow(block); row++) {
            row(row, dgain, workspace.lanes(thread), workspace.area(thread));
        }
    }

    private void row(long row, long dgain, long lanes, long scratch) {
        long offset = row * columns * type.bytes();
        float r = Lanes.getF32(rstd, row);
        boolean bf16 = type == DType.BF16;
        long g = bf16 ? dy + offset : Halves.read(type, dy + offset, scratch, columns);
        long values = bf16 ? x + offset : Halves.read(type, x + offset, scratch + 4 * columns, columns);
        float sum = bf16
                ? VectorRms.sumsBf16(dgain, g, values, gain, r, columns, lanes)
                : VectorRms.sums(dgain, g, values, gain, r, columns, lanes);
        // dx = r (g - x r mean_c(g h)): layer norm's with a mean of 0
        float slope = -r * r * (sum / columns);
        long skip = dresidual == 0 ? 0 : dresidual + offset;
        NormInput.row(type, dx + offset, skip, g, values, gain, 0, r, slope, 0, columns, scratch + 8 * columns);
    }
}
