package io.penstock.tensor.cpu;

import io.penstock.tensor.Tensor;
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
        long end = Math.min(rows, (tile + 1) * rowsPerTile);
        for (long row = tile * rowsPerTile; row < end; row++) {
            row(row, workspace.lanes(thread), workspace.area(thread));
        }
    }

    private void row(long row, long lanes, long scratch) {
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
        float max = VectorLoss.maximum(x, columns);
        float sum = VectorLoss.exponentials(x, max, columns, lanes);
        float atTarget = Lanes.getF32(x, target);
        Lanes.putF32(loss, row, (float) (StrictMath.log(sum) + max - atTarget));
        if (dlogits != 0) {
            long dx = dlogits + row * gradientRowBytes;
            gradient(dx, x, max, scale / sum, scratch);
            Lanes.put(half, dx, target, scale * (Exp.of(atTarget - max) / sum - 1f));
        }
    }

    private void gradient(long dx, long x, float max, float factor, long scratch) {
        for (long from = 0; from < columns; from += Workspace.PIECE) {
            long n = Math.min(Workspace.PIECE, columns - from);
            long to = dx + from * Lanes.bytes(half);
            VectorLoss.probabilities(Bf16.target(half, to, scratch), x + 4 * from, max, factor, n);
            Bf16.flush(half, to, scratch, n);
        }
    }
}
