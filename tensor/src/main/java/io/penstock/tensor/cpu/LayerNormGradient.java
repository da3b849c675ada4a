package io.penstock.tensor.cpu;

import io.penstock.tensor.DType;
import io.penstock.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * With h = (x - mean) * rstd and g = dy * gain: dx = dresidual + rstd * (g - mean_c(g) - h * mean_c(g h)); dgain += sum_r(dy h), dbias += sum_r(dy), which
 * each block of rows sums alone.
 */
final class LayerNormGradient implements Tiles {
    private final Workers workers;
    private final Workspace workspace;
    private final RowBlocks blocks;

    private long dx;
    private long dy;
    private long dresidual;
    private long x;
    private long gain;
    private long mean;
    private long rstd;
    private long columns;
    private DType type = DType.F32;

    LayerNormGradient(Workers workers, Workspace workspace, RowBlocks blocks) {
        this.workers = workers;
        this.workspace = workspace;
        this.blocks = blocks;
    }

    void run(
            Tensor dx_RC,
            Tensor dgain_C,
            Tensor dbias_C,
            Tensor dy_RC,
            @Nullable Tensor dresidual_RC,
            Tensor x_RC,
            Tensor gain_C,
            Tensor mean_R,
            Tensor rstd_R) {
        dx = dx_RC.address();
        dy = dy_RC.address();
        dresidual = dresidual_RC == null ? 0 : dresidual_RC.address();
        x = x_RC.address();
        mean = mean_R.address();
        rstd = rstd_R.address();
        columns = x_RC.shape().last();
        type = Lanes.type(x_RC);
        workspace.requireRows(type == DType.F32 ? 0 : 3, columns);
        gain = SplitVectors.of(type, gain_C.address(), 0, columns, workspace);
        blocks.plan(x_RC.shape().rows(), columns, 2, type == DType.BF16);
        workers.run(this, blocks.count());
        blocks.addTo(dgain_C.address(), dbias_C.address());
    }

    @Override
    public void run(int block, int thread) {
        long dgain = blocks.partial(block);
        Vectors.zero(dgain, 2 * columns);
        for (long row = blocks.firstRow(block); row < blocks.endRow(block); row++) {
            row(row, dgain, thread);
        }
    }

    private void row(long row, long dgain, int thread) {
        long lanes = workspace.lanes(thread);
        long scratch = workspace.area(thread);
        long offset = row * columns * type.bytes();
        long dbias = dgain + 4 * columns;
        float m = Lanes.getF32(mean, row);
        float r = Lanes.getF32(rstd, row);
        boolean bf16 = type == DType.BF16;
        long g = bf16 ? dy + offset : Halves.read(type, dy + offset, scratch, columns);
        long values = bf16 ? x + offset : Halves.read(type, x + offset, scratch + 4 * columns, columns);
        if (bf16) {
            VectorNormBf16.sums(dgain, dbias, g, values, gain, m, r, columns, lanes);
        } else {
            VectorNorm.sums(dgain, dbias, g, values, gain, m, r, columns, lanes);
        }
        // dx = r (g - mean_c(g) - (x - m) r mean_c(g h))
        float slope = -r * r * (Lanes.getF32(lanes, 1) / columns);
        float shift = -r * (Lanes.getF32(lanes, 0) / columns);
        long skip = dresidual == 0 ? 0 : dresidual + offset;
        NormInput.row(type, dx + offset, skip, g, values, gain, m, r, slope, shift, columns, scratch + 8 * columns);
    }
}
