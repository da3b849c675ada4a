package io.penstock.engine.execution;

import io.penstock.models.Block;
import io.penstock.tensor.Tensor;
import java.util.List;

/** A block with the records of its slots, so that a call names slots by number and allocates nothing. */
final class BlockRunner<S, G> {
    private final Block<S, G> block;
    private final List<Tensor> inputs;
    private final List<S> saved;
    private final List<G> stashes;

    /** {@code inputs}, {@code saved}: one an activation slot; {@code stashes}: one a stash slot. */
    BlockRunner(Block<S, G> block, List<Tensor> inputs, List<S> saved, List<G> stashes) {
        this.block = block;
        this.inputs = inputs;
        this.saved = saved;
        this.stashes = stashes;
    }

    void forward(Tensor y_BTC, int slot) {
        block.forward(y_BTC, inputs.get(slot), saved.get(slot));
    }

    void backwardInput(Tensor dx_BTC, Tensor dy_BTC, int slot, int stash) {
        block.backwardInput(dx_BTC, dy_BTC, inputs.get(slot), saved.get(slot), stashes.get(stash));
    }

    void backward(Tensor dx_BTC, Tensor dy_BTC, int slot, int stash) {
        block.backward(dx_BTC, dy_BTC, inputs.get(slot), saved.get(slot), stashes.get(stash));
    }

    void backwardWeight(Tensor dy_BTC, int slot, int stash) {
        block.backwardWeight(dy_BTC, inputs.get(slot), saved.get(slot), stashes.get(stash));
    }
}
