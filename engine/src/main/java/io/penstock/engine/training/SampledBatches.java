package io.penstock.engine.training;

import io.penstock.engine.execution.BatchSource;
import io.penstock.models.data.SequenceSampler;
import io.penstock.tensor.Tensor;

/** Micro-batches of consecutive sequences of a sampler. */
final class SampledBatches implements BatchSource {
    /** Which sequence of the sampler a micro-batch begins with. */
    @FunctionalInterface
    interface FirstSequence {
        long of(long step, int microBatch);
    }

    private final SequenceSampler sampler;
    private final FirstSequence first;

    SampledBatches(SequenceSampler sampler, FirstSequence first) {
        this.sampler = sampler;
        this.first = first;
    }

    @Override
    public void tokens(Tensor tokens_BT, int step, int microBatch) {
        sampler.fillTokens(tokens_BT, first.of(step, microBatch));
    }

    @Override
    public void targets(Tensor targets_BT, int step, int microBatch) {
        sampler.fillTargets(targets_BT, first.of(step, microBatch));
    }
}
