package io.penstock.engine.execution;

import io.penstock.tensor.Tensor;

/** The token ids of micro-batches; stateless in the step, so that a resumed run sees what the first would have. Allocates nothing. */
public interface BatchSource {
    /** Overwrites tokens_BT (I32). {@code step} and {@code microBatch} count from 0. */
    void tokens(Tensor tokens_BT, int step, int microBatch);

    /** Overwrites targets_BT (I32): the token that follows each of {@link #tokens}. */
    void targets(Tensor targets_BT, int step, int microBatch);

    /** Whether the micro-batch's loss counts: an evaluation fills the replicas' rounds with micro-batches that do not. */
    default boolean counts(int microBatch) {
        return true;
    }
}
