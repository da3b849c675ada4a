package io.penstock.tensor.cpu;

import io.penstock.tensor.DType;
import io.penstock.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * {@link CrossEntropy} of the columns {@code first} and on of rows that are split over P parts: first each part's statistics of a row (max_p, s_p = sum_v
 * e^(x_v - max_p), x_target or 0), then, from those of all parts in order, max = max_p max_p, s = sum_p s_p e^(max_p - max), loss = log(s) + max - x_target
 * and dlogits = scale * (e^(x_v - max) / s - onehot). In place as there.
 */
final class CrossEntropyPart {
    private static final long ELEMENTS = 1 << 14;
    private static final long ROW_BYTES = 12;

    private final Workers workers;
    private final Workspace workspace;
    private final Tiles statisticsTiles = this::statisticsTile;
    private final Tiles lossTiles = this::lossTile;

    private long statistics;
    private long loss;
    private long dlogits;
    private long logits;
    private long targets;
    private long rowBytes;
    private long gradientRowBytes;
    private long rows;
    private long columns;
    private long rowsPerTile;
    private long parts;
    private int first;
    private float scale;
    private DType type = DType.F32;

    CrossEntropyPart(Workers workers, Workspace workspace) {
        this.workers = workers;
        this.workspace = workspace;
    }

    void statistics(Tensor statistics_R3, Tensor logits_RV, Tensor targets_R, int first) {
        workers.run(statisticsTiles, plan(statistics_R3, logits_RV, targets_R, first));
    }

    void run(
            Tensor loss_R,
            @Nullable Tensor dlogits_RV,
            Tensor logits_RV,
            Tensor targets_R,
            Tensor statistics_PR3,
            int first,
            float scale) {
        int tiles = plan(statistics_PR3, logits_RV, targets_R, first);
        loss = loss_R.address();
        parts = rows == 0 ? 0 : statistics_PR3.shape().rows() / rows;
        dlogits = 0;
        if (dlogits_RV != null) {
            dlogits = dlogits_RV.address();
            type = Lanes.type(dlogits_RV);
            gradientRowBytes = dlogits_RV.rowStride() * type.bytes();
        }
        this.scale = scale;
        workers.run(lossTiles, tiles);
    }

    /** Returns the number of tiles. */
    private int plan(Tensor statistics_R3, Tensor logits_RV, Tensor targets_R, int first) {
        statistics = statistics_R3.address();
        logits = logits_RV.address();
        targets = targets_R.address();
        rowBytes = 4 * logits_RV.rowStride();
        rows = logits_RV.shape().rows();
        columns = logits_RV.shape().last();
        this.first = first;
        rowsPerTile = Math.max(1, ELEMENTS / columns);
        return Math.toIntExact((rows + rowsPerTile - 1) / rowsPerTile);
    }

    private boolean isHere(long target) {
        return target >= 0 && target < columns;
    }

    private void statisticsTile(int tile, int thread) {
        long lanes = workspace.lanes(thread);
        long end = Math.min(rows, (tile + 1) * rowsPerTile);
        for (long row = tile * rowsPerTile; row < end; row++) {
            long x = logits + row * rowBytes;
            long to = statistics + row * ROW_BYTES;
            long target = (long) Lanes.getI32(targets, row) - first;
            float max = VectorLoss.maximum(x, columns);
            Lanes.putF32(to, 0, max);
            Lanes.putF32(to, 1, VectorLoss.sumOfExponentials(x, max, columns, lanes));
            Lanes.putF32(to, 2, isHere(target) ? Lanes.getF32(x, target) : 0);
        }
    }

    private void lossTile(int tile, int thread) {
        long end = Math.min(rows, (tile + 1) * rowsPerTile);
        for (long row = tile * rowsPerTile; row < end; row++) {
            if (Lanes.getI32(targets, row) < 0) {
                notCounted(row);
            } else {
                row(row, workspace.area(thread));
            }
        }
    }

    private void notCounted(long row) {
        Lanes.putF32(loss, row, 0);
        for (long i = 0; i < columns && dlogits != 0; i++) {
            Lanes.put(type, dlogits + row * gradientRowBytes, i, 0);
        }
    }

    private void row(long row, long scratch) {
        float max = Float.NEGATIVE_INFINITY;
        for (long part = 0; part < parts; part++) {
            max = Math.max(max, statistic(part, row, 0));
        }
        float sum = 0;
        float atTarget = 0;
        for (long part = 0; part < parts; part++) {
            sum += statistic(part, row, 1) * Exp.two((statistic(part, row, 0) - max) * Exp.LOG2E);
            atTarget += statistic(part, row, 2);
        }
        Lanes.putF32(loss, row, (float) (StrictMath.log(sum) + max - atTarget));
        if (dlogits != 0) {
            long dx = dlogits + row * gradientRowBytes;
            gradient(dx, logits + row * rowBytes, max, scale / sum, scratch);
            long target = (long) Lanes.getI32(targets, row) - first;
            if (isHere(target)) {
                Lanes.put(type, dx, target, scale * (Exp.two((atTarget - max) * Exp.LOG2E) / sum - 1f));
            }
        }
    }

    private float statistic(long part, long row, long which) {
        return Lanes.getF32(statistics + (part * rows + row) * ROW_BYTES, which);
    }

    private void gradient(long dx, long x, float max, float factor, long scratch) {
        for (long from = 0; from < columns; from += Workspace.PIECE) {
            long n = Math.min(Workspace.PIECE, columns - from);
            long to = dx + from * type.bytes();
            VectorLoss.probabilities(Halves.target(type, to, scratch), x + 4 * from, max, factor, n);
            Halves.flush(type, to, scratch, n);
        }
    }
}
