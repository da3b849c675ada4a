package io.penstock.engine.training;

import io.penstock.engine.execution.BatchSource;
import io.penstock.tensor.Tensor;
import java.util.function.IntUnaryOperator;

/** One replica's micro-batches of all; places from {@code count} on are filled with the last micro-batch, which does not count there. */
final class ReplicaBatches implements BatchSource {
    private final BatchSource all;
    private final IntUnaryOperator place;
    private final int count;

    /** {@code place}: where in the global batch a micro-batch of the replica is; {@code count}: micro-batches of the global batch. */
    ReplicaBatches(BatchSource all, IntUnaryOperator place, int count) {
        this.all = all;
        this.place = place;
        this.count = count;
    }

    private int placeOf(int microBatch) {
        return Math.min(place.applyAsInt(microBatch), count - 1);
    }

    @Override
    public void tokens(Tensor tokens_BT, int step, int microBatch) {
        all.tokens(tokens_BT, step, placeOf(microBatch));
    }

    @Override
    public void targets(Tensor targets_BT, int step, int microBatch) {
        all.targets(targets_BT, step, placeOf(microBatch));
    }

    @Override
    public boolean counts(int microBatch) {
        return place.applyAsInt(microBatch) < count;
    }
}
