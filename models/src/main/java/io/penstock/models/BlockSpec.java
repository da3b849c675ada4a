package io.penstock.models;

import io.penstock.tensor.DType;
import java.util.List;
import java.util.Set;

/** A layer between embedding and head; activations (B, T, C) in and out. Non-sealed: users bring their own. */
public non-sealed interface BlockSpec extends LayerSpec {
    Block<?, ?> bind(LayerContext context);

    /** The names of {@link #saved} that stay under {@link Recomputation#SELECTIVE}: what matrix products made. With none it is as {@link Recomputation#FULL}. */
    default Set<String> keptSelectively() {
        return Set.of();
    }

    /** What {@link Block#recompute} asks of the device on one micro-batch: by default the whole forward. */
    default List<Work> recomputationWork(Recomputation recomputation, MicroBatchShape microBatch, DType compute) {
        return recomputation == Recomputation.NONE ? List.of() : work(Phase.FORWARD, microBatch, compute);
    }
}
