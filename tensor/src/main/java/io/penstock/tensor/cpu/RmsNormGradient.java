package io.penstock.tensor.cpu;

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
    private boolean half;

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
        gain = gain_C.address();
        rstd = rstd_R.address();
        columns = x_RC.shape().last();
        half = Lanes.half(x_RC);
        blocks.plan(x_RC.shape().rows(), columns, 1);
        workers.run(this, blocks.count());
        blocks.addTo(dgain_C.address(), 0);
    }

    @Override
    public void run(int block, int thread) {
        long dgain = blocks.partial(block);
        Vectors.zero(dgain, columns);
        for (long row = blocks.firstRow(block); row < blocks.endRow(block); row++) {
            row(row, dgain, workspace.lanes(thread));
        }
    }

    private void row(long row, long dgain, long lanes) {
        long offset = row * columns * Lanes.bytes(half);
        float r = Lanes.getF32(rstd, row);
        float sum = half
                ? VectorRms.sumsBf16(dgain, dy + offset, x + offset, gain, r, columns, lanes)
                : VectorRms.sums(dgain, dy + offset, x + offset, gain, r, columns, lanes);
        // dx = r (g - x r mean_c(g h)): layer norm's with a mean of 0
        float slope = -r * r * (sum / columns);
        long to = dx + offset;
        if (dresidual == 0) {
            if (half) {
                VectorNormBf16.gradient(to, dy + offset, x + offset, gain, 0, r, slope, 0, columns);
            } else {
                VectorNorm.gradient(to, dy + offset, x + offset, gain, 0, r, slope, 0, columns);
            }
        } else {
            residualRow(to, dresidual + offset, offset, r, slope);
        }
    }

    private void residualRow(long to, long skip, long offset, float r, float slope) {
        if (half) {
            VectorNormBf16.gradientAndResidual(to, skip, dy + offset, x + offset, gain, 0, r, slope, 0, columns);
        } else {
            VectorNorm.gradientAndResidual(to, skip, dy + offset, x + offset, gain, 0, r, slope, 0, columns);
        }
    }
}
