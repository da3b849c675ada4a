package io.penstock.tensor.cpu;

import io.penstock.tensor.Tensor;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import org.jspecify.annotations.Nullable;

/**
 * loss = log(sum_v e^(x_v - max)) + max - x_target and dlogits = scale * (e^(x_v - max) / sum - onehot). Each row is read three times while it is in cache.
 * In place, a vector is read before the (narrower or equal) one that covers its start is written.
 */
final class CrossEntropy implements Tiles {
    private static final long ELEMENTS = 1 << 14;

    private final Workers workers;
    private final Workspace workspace;

    private long loss;
    private long dlogits;
    private long logits;
    private long targets;
    private long rowBytes;
    private long gradientRowBytes;
    private long rows;
    private long columns;
    private long rowsPerTile;
    private float scale;
    private boolean half;

    CrossEntropy(Workers workers, Workspace workspace) {
        this.workers = workers;
        this.workspace = workspace;
    }

    void run(Tensor loss_R, @Nullable Tensor dlogits_RV, Tensor logits_RV, Tensor targets_R, float scale) {
        loss = loss_R.address();
        logits = logits_RV.address();
        targets = targets_R.address();
        rowBytes = 4 * logits_RV.rowStride();
        dlogits = 0;
        if (dlogits_RV != null) {
            dlogits = dlogits_RV.address();
            half = Lanes.half(dlogits_RV);
            gradientRowBytes = dlogits_RV.rowStride() * Lanes.bytes(half);
        }
        rows = logits_RV.shape().rows();
        columns = logits_RV.shape().last();
        this.scale = scale;
        rowsPerTile = Math.max(1, ELEMENTS / columns);
        workers.run(this, Math.toIntExact((rows + rowsPerTile - 1) / rowsPerTile));
    }

    @Override
    public void run(int tile, int thread) {
        long lanes = workspace.lanes(thread);
        long end = Math.min(rows, (tile + 1) * rowsPerTile);
        for (long row = tile * rowsPerTile; row < end; row++) {
            row(row, lanes);
        }
    }

    private void row(long row, long lanes) {
        long x = logits + row * rowBytes;
        int target = Lanes.getI32(targets, row);
        if (target < 0) {
            Lanes.putF32(loss, row, 0);
            if (dlogits != 0) {
                long dx = dlogits + row * gradientRowBytes;
                for (long i = 0; i < columns; i++) {
                    Lanes.put(half, dx, i, 0);
                }
            }
            return;
        }
        float max = maximum(x, columns);
        float sum = exponentials(x, max, columns, lanes);
        float atTarget = Lanes.getF32(x, target);
        Lanes.putF32(loss, row, (float) (StrictMath.log(sum) + max - atTarget));
        if (dlogits != 0) {
            long dx = dlogits + row * gradientRowBytes;
            gradient(dx, x, max, scale / sum, columns, half);
            Lanes.put(half, dx, target, scale * (Exp.of(atTarget - max) / sum - 1f));
        }
    }

    private static float maximum(long x, long n) {
        FloatVector most = FloatVector.broadcast(Lanes.FLOATS, Float.NEGATIVE_INFINITY);
        long bound = Lanes.bound(n);
        for (long i = 0; i < bound; i += Lanes.COUNT) {
            most = most.max(Lanes.loadF32(x + 4 * i));
        }
        float max = most.reduceLanes(VectorOperators.MAX);
        for (long i = bound; i < n; i++) {
            max = Math.max(max, Lanes.getF32(x, i));
        }
        return max;
    }

    private static float exponentials(long x, float max, long n, long lanes) {
        FloatVector total = FloatVector.zero(Lanes.FLOATS);
        long bound = Lanes.bound(n);
        for (long i = 0; i < bound; i += Lanes.COUNT) {
            total = total.add(Exp.of(Lanes.loadF32(x + 4 * i).sub(max)));
        }
        Lanes.storeF32(lanes, total);
        float sum = Lanes.foldF32(lanes);
        for (long i = bound; i < n; i++) {
            sum += Exp.of(Lanes.getF32(x, i) - max);
        }
        return sum;
    }

    private static void gradient(long dx, long x, float max, float factor, long n, boolean half) {
        long bound = Lanes.bound(n);
        for (long i = 0; i < bound; i += Lanes.COUNT) {
            Lanes.store(half, dx, i, Exp.of(Lanes.loadF32(x + 4 * i).sub(max)).mul(factor));
        }
        for (long i = bound; i < n; i++) {
            Lanes.put(half, dx, i, Exp.of(Lanes.getF32(x, i) - max) * factor);
        }
    }
}
