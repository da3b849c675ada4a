package io.penstock.tensor.cpu;

import io.penstock.tensor.Tensor;
import jdk.incubator.vector.FloatVector;
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
        half = Lanes.half(x_RC);
        blocks.plan(x_RC.shape().rows(), columns, 2);
        workers.run(this, blocks.count());
        blocks.addTo(dgain_C.address(), 0);
        blocks.addTo(dbias_C.address(), 1);
    }

    @Override
    public void run(int block, int thread) {
        long lanes = workspace.lanes(thread);
        long dgain = blocks.partial(block);
        long dbias = dgain + 4 * columns;
        Lanes.zeroF32(dgain, 2 * columns);
        long rowBytes = columns * Lanes.bytes(half);
        for (long row = blocks.firstRow(block); row < blocks.endRow(block); row++) {
            float m = Lanes.getF32(mean, row);
            float r = Lanes.getF32(rstd, row);
            long offset = row * rowBytes;
            sums(dgain, dbias, dy + offset, x + offset, gain, m, r, columns, half, lanes);
            float g = Lanes.getF32(lanes, 0) / columns;
            float gh = Lanes.getF32(lanes, 1) / columns;
            long skip = dresidual == 0 ? 0 : dresidual + offset;
            gradient(dx + offset, dy + offset, skip, x + offset, gain, m, r, g, gh, columns, half);
        }
    }

    /** Adds to dgain and dbias; leaves sum(g) and sum(g h) as the first two floats at {@code lanes}. */
    private static void sums(
            long dgain,
            long dbias,
            long dy,
            long x,
            long gain,
            float mean,
            float rstd,
            long n,
            boolean half,
            long lanes) {
        FloatVector sumG = FloatVector.zero(Lanes.FLOATS);
        FloatVector sumGh = FloatVector.zero(Lanes.FLOATS);
        long bound = Lanes.bound(n);
        for (long i = 0; i < bound; i += Lanes.COUNT) {
            FloatVector d = Lanes.load(half, dy, i);
            FloatVector h = Lanes.load(half, x, i).sub(mean).mul(rstd);
            FloatVector g = d.mul(Lanes.loadF32(gain + 4 * i));
            sumG = sumG.add(g);
            sumGh = g.fma(h, sumGh);
            Lanes.storeF32(dgain + 4 * i, d.fma(h, Lanes.loadF32(dgain + 4 * i)));
            Lanes.storeF32(dbias + 4 * i, Lanes.loadF32(dbias + 4 * i).add(d));
        }
        Lanes.storeF32(lanes, sumG);
        Lanes.storeF32(lanes + 64, sumGh);
        float totalG = Lanes.foldF32(lanes);
        float totalGh = Lanes.foldF32(lanes + 64);
        for (long i = bound; i < n; i++) {
            float d = Lanes.get(half, dy, i);
            float h = (Lanes.get(half, x, i) - mean) * rstd;
            float g = d * Lanes.getF32(gain, i);
            totalG += g;
            totalGh = Math.fma(g, h, totalGh);
            Lanes.putF32(dgain, i, Math.fma(d, h, Lanes.getF32(dgain, i)));
            Lanes.putF32(dbias, i, Lanes.getF32(dbias, i) + d);
        }
        Lanes.putF32(lanes, 0, totalG);
        Lanes.putF32(lanes, 1, totalGh);
    }

    private static void gradient(
            long dx,
            long dy,
            long skip,
            long x,
            long gain,
            float mean,
            float rstd,
            float meanG,
            float meanGh,
            long n,
            boolean half) {
        long bound = Lanes.bound(n);
        for (long i = 0; i < bound; i += Lanes.COUNT) {
            FloatVector h = Lanes.load(half, x, i).sub(mean).mul(rstd);
            FloatVector g = Lanes.load(half, dy, i).mul(Lanes.loadF32(gain + 4 * i));
            FloatVector d = g.sub(meanG).sub(h.mul(meanGh)).mul(rstd);
            Lanes.store(half, dx, i, skip == 0 ? d : d.add(Lanes.load(half, skip, i)));
        }
        for (long i = bound; i < n; i++) {
            float h = (Lanes.get(half, x, i) - mean) * rstd;
            float g = Lanes.get(half, dy, i) * Lanes.getF32(gain, i);
            float d = (g - meanG - h * meanGh) * rstd;
            Lanes.put(half, dx, i, skip == 0 ? d : d + Lanes.get(half, skip, i));
        }
    }
}
