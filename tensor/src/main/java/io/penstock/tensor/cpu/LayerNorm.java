package io.penstock.tensor.cpu;

import io.penstock.tensor.Tensor;
import jdk.incubator.vector.FloatVector;

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
        half = Lanes.half(x_RC);
        this.eps = eps;
        rowsPerTile = Math.max(1, ELEMENTS / columns);
        workers.run(this, Math.toIntExact((rows + rowsPerTile - 1) / rowsPerTile));
    }

    @Override
    public void run(int tile, int thread) {
        long lanes = workspace.lanes(thread);
        long rowBytes = columns * Lanes.bytes(half);
        long end = Math.min(rows, (tile + 1) * rowsPerTile);
        for (long row = tile * rowsPerTile; row < end; row++) {
            long input = sum + row * rowBytes;
            if (residual != 0) {
                add(input, x + row * rowBytes, residual + row * rowBytes, columns, half);
            }
            float m = total(input, columns, half, lanes) / columns;
            float variance = squares(input, m, columns, half, lanes) / columns;
            float r = (float) (1 / Math.sqrt((double) variance + eps));
            Lanes.putF32(mean, row, m);
            Lanes.putF32(rstd, row, r);
            normalize(y + row * rowBytes, input, m, r, gain, bias, columns, half);
        }
    }

    private static void add(long sum, long a, long b, long n, boolean half) {
        long bound = Lanes.bound(n);
        for (long i = 0; i < bound; i += Lanes.COUNT) {
            Lanes.store(half, sum, i, Lanes.load(half, a, i).add(Lanes.load(half, b, i)));
        }
        for (long i = bound; i < n; i++) {
            Lanes.put(half, sum, i, Lanes.get(half, a, i) + Lanes.get(half, b, i));
        }
    }

    private static float total(long x, long n, boolean half, long lanes) {
        FloatVector total = FloatVector.zero(Lanes.FLOATS);
        long bound = Lanes.bound(n);
        for (long i = 0; i < bound; i += Lanes.COUNT) {
            total = total.add(Lanes.load(half, x, i));
        }
        Lanes.storeF32(lanes, total);
        float sum = Lanes.foldF32(lanes);
        for (long i = bound; i < n; i++) {
            sum += Lanes.get(half, x, i);
        }
        return sum;
    }

    private static float squares(long x, float mean, long n, boolean half, long lanes) {
        FloatVector total = FloatVector.zero(Lanes.FLOATS);
        long bound = Lanes.bound(n);
        for (long i = 0; i < bound; i += Lanes.COUNT) {
            FloatVector d = Lanes.load(half, x, i).sub(mean);
            total = d.fma(d, total);
        }
        Lanes.storeF32(lanes, total);
        float sum = Lanes.foldF32(lanes);
        for (long i = bound; i < n; i++) {
            float d = Lanes.get(half, x, i) - mean;
            sum = Math.fma(d, d, sum);
        }
        return sum;
    }

    private static void normalize(long y, long x, float mean, float rstd, long gain, long bias, long n, boolean half) {
        long bound = Lanes.bound(n);
        for (long i = 0; i < bound; i += Lanes.COUNT) {
            FloatVector hat = Lanes.load(half, x, i).sub(mean).mul(rstd);
            Lanes.store(half, y, i, hat.fma(Lanes.loadF32(gain + 4 * i), Lanes.loadF32(bias + 4 * i)));
        }
        for (long i = bound; i < n; i++) {
            float hat = (Lanes.get(half, x, i) - mean) * rstd;
            Lanes.put(half, y, i, Math.fma(hat, Lanes.getF32(gain, i), Lanes.getF32(bias, i)));
        }
    }
}
