package io.penstock.engine.execution;

import io.penstock.models.Head;
import io.penstock.tensor.Tensor;
import java.util.List;

/** A head with the records of its slots. */
final class HeadRunner<S> {
    private final Head<S> head;
    private final List<Tensor> inputs;
    private final List<Tensor> targets;
    private final List<S> saved;
    private final MicroBatchLosses losses;

    HeadRunner(Head<S> head, List<Tensor> inputs, List<Tensor> targets, List<S> saved, MicroBatchLosses losses) {
        this.head = head;
        this.losses = losses;
        this.inputs = inputs;
        this.targets = targets;
        this.saved = saved;
    }

    void forward(int slot) {
        head.forward(inputs.get(slot), saved.get(slot));
    }

    void loss(int slot) {
        head.loss(losses.next(), targets.get(slot), saved.get(slot));
    }

    void backward(Tensor dx_BTC, float scale, int slot) {
        head.backward(losses.next(), dx_BTC, inputs.get(slot), targets.get(slot), scale, saved.get(slot));
    }

    void logits(Tensor logits_V, int row, int slot) {
        head.logits(logits_V, row, saved.get(slot));
    }
}
