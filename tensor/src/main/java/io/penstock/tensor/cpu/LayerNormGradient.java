package io.penstock.tensor.cpu;

import io.penstock.tensor.Tensor;
import java.lang.foreign.MemorySegment;
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
    private boolean half;

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
        gain = gain_C.address();
        mean = mean_R.address();
        rstd = rstd_R.address();
        columns = x_RC.shape().last();
        workspace.requireRows(3, columns);
        half = Lanes.half(x_RC);
        blocks.plan(x_RC.shape().rows(), columns, 2);
        workers.run(this, blocks.count());
        blocks.addTo(dgain_C.address(), 0);
        blocks.addTo(dbias_C.address(), 1);
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
        long first = workspace.area(thread);
        long second = first + 4 * columns;
        long result = second + 4 * columns;
        long offset = row * columns * Lanes.bytes(half);
        float m = Lanes.getF32(mean, row);
        float r = Lanes.getF32(rstd, row);
        long dyRow = Bf16.read(half, dy + offset, first, columns);
        long xRow = Bf16.read(half, x + offset, second, columns);
        VectorNorm.sums(dgain, dgain + 4 * columns, dyRow, xRow, gain, m, r, columns, lanes);
        float g = Lanes.getF32(lanes, 0) / columns;
        float gh = Lanes.getF32(lanes, 1) / columns;
        VectorNorm.gradient(result, dyRow, xRow, gain, m, r, g, gh, columns);
        if (dresidual != 0) {
            long skip = Bf16.read(half, dresidual + offset, first, columns);
            Vectors.add(result, result, skip, columns);
        }
        if (half) {
            VectorBf16.narrow(dx + offset, result, columns);
        } else {
            MemorySegment.copy(Lanes.ALL, result, Lanes.ALL, dx + offset, 4 * columns);
        }
    }
}
