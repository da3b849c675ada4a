package io.penstock.models;

import io.penstock.tensor.DType;
import io.penstock.tensor.TensorTable;
import java.util.List;
import java.util.Set;

/** A layer described, without memory: what the planner adds up and the engine allocates. Pure. */
public sealed interface LayerSpec permits EmbeddingSpec, BlockSpec, HeadSpec {
    /** Unique in its model: "embedding", "h.0", ..., "head". */
    String name();

    /** In canonical order, the order of gradient norms and checkpoints. */
    List<ParameterSpec> parameters();

    /** What forward keeps for backward, a micro-batch; without the layer's input, which its caller keeps. */
    TensorTable saved(MicroBatchShape microBatch, DType compute);

    /**
     * What backward works in: gradients that the weight-gradient call still needs, and scratch. With a fused backward one stash serves all layers of a rank in turn; a
     * split backward keeps one a layer and a micro-batch until its weight gradient is done. For a head: scratch of the rank.
     */
    TensorTable stash(MicroBatchShape microBatch, DType compute);

    /** What a call of an embedding or a block works in and nothing outlives; one region serves all layers of a rank in turn. Empty where layers are whole. */
    default TensorTable scratch(MicroBatchShape microBatch, DType compute) {
        return TensorTable.builder().build();
    }

    /** The parameters whose gradients are complete with the input-gradient call; those of the others are with the weight-gradient call. */
    default Set<String> completedByInputGradient() {
        return Set.of();
    }

    /** What one micro-batch asks of the device in a phase. */
    List<Work> work(Phase phase, MicroBatchShape microBatch, DType compute);

    /** Of what this rank holds. */
    default long parameterCount() {
        return parameters().stream().mapToLong(p -> p.shape().elements()).sum();
    }
}
