package io.penstock.tensor.cpu;

import io.penstock.tensor.DType;
import io.penstock.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * loss = log(sum_v e^(x_v - max)) + max - x_target and dlogits = scale * (e^(x_v - max) / sum - onehot). Each row is passed over three times while it is in cache.
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
    private DType type = DType.F32;

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
            type = Lanes.type(dlogits_RV);
            gradientRowBytes = dlogits_RV.rowStride() * type.bytes();
        }
        rows = logits_RV.shape().rows();
        columns = logits_RV.shape().last();
        this.scale = scale;
        workspace.requireRows(1, columns);
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

    private void row(long row, long lanes, long area) {
        long x = logits + row * rowBytes;
        long dx = dlogits + row * gradientRowBytes;
        int target = Lanes.getI32(targets, row);
        if (target < 0) {
            Lanes.putF32(loss, row, 0);
            if (dlogits != 0) {
                Vectors.zero(dx, columns * type.bytes() / 4);
                Lanes.put(type, dx, columns - 1, 0);
            }
            return;
        }
        float max = VectorLoss.maximum(x, columns);
        float atTarget = Lanes.getF32(x, target);
        // the exponentials' place: the gradient's own, where it is wide enough or on top of the logits
        long exponentials = dlogits != 0 && (dx == x || type == DType.F32) ? dx : area;
        float sum = VectorLoss.exponentials(exponentials, x, max, columns, lanes);
        Lanes.putF32(loss, row, (float) (StrictMath.log(sum) + max - atTarget));
        if (dlogits != 0) {
            float probability = Lanes.getF32(exponentials, target) / sum;
            if (type == DType.BF16) {
                VectorLoss.scaleToBf16(dx, exponentials, scale / sum, columns);
            } else {
                long scaled = Halves.target(type, dx, exponentials);
                Vectors.scale(scaled, exponentials, scale / sum, columns);
                Halves.flush(type, dx, scaled, columns);
            }
            Lanes.put(type, dx, target, scale * (probability - 1f));
        }
    }
}
