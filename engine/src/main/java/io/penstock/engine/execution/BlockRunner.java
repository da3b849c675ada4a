package io.penstock.engine.execution;

import io.penstock.models.Block;
import io.penstock.models.Recomputation;
import io.penstock.tensor.Tensor;
import java.util.List;

/** A block with the records of its slots, so that a call names slots by number and allocates nothing. */
final class BlockRunner<S, G> {
    /**
     * What forward saved, as views of a slot.
     *
     * @param forward by activation slot: what forward writes
     * @param backward by activation slot and stash slot: what backward reads; one list of one each where backward is fused or all is kept
     */
    record Saved<S>(List<S> forward, List<List<S>> backward) {}

    private final Block<S, G> block;
    private final Recomputation recomputation;
    private final RecomputedRegion region;
    private final boolean fused;
    private final List<Tensor> inputs;
    private final Saved<S> saved;
    private final List<G> stashes;

    /**
     * @param region of the rank
     * @param fused whether backward reads what it recomputed from the region, else from the stash slot
     * @param inputs one an activation slot
     * @param stashes one a stash slot
     */
    BlockRunner(
            Block<S, G> block,
            Recomputation recomputation,
            RecomputedRegion region,
            boolean fused,
            List<Tensor> inputs,
            Saved<S> saved,
            List<G> stashes) {
        this.block = block;
        this.recomputation = recomputation;
        this.region = region;
        this.fused = fused;
        this.inputs = inputs;
        this.saved = saved;
        this.stashes = stashes;
    }

    void forward(Tensor y_BTC, int slot, int microBatch) {
        block.forward(y_BTC, inputs.get(slot), saved.forward().get(slot));
        if (recomputation != Recomputation.NONE) {
            region.written(this, microBatch);
        }
    }

    /** Before {@link #backwardInput} or {@link #backward}; may overwrite scratch_BTC. */
    void recompute(Tensor scratch_BTC, int slot, int stash, int microBatch) {
        if (recomputation == Recomputation.NONE || (fused && region.holds(this, microBatch))) {
            return;
        }
        block.recompute(scratch_BTC, inputs.get(slot), savedForBackward(slot, stash), recomputation);
        if (fused) {
            region.written(this, microBatch);
        }
    }

    void backwardInput(Tensor dx_BTC, Tensor dy_BTC, int slot, int stash) {
        block.backwardInput(dx_BTC, dy_BTC, inputs.get(slot), savedForBackward(slot, stash), stashes.get(stash));
    }

    void backward(Tensor dx_BTC, Tensor dy_BTC, int slot, int stash) {
        block.backward(dx_BTC, dy_BTC, inputs.get(slot), savedForBackward(slot, stash), stashes.get(stash));
    }

    void backwardWeight(Tensor dy_BTC, int slot, int stash) {
        block.backwardWeight(dy_BTC, inputs.get(slot), savedForBackward(slot, stash), stashes.get(stash));
    }

    private S savedForBackward(int slot, int stash) {
        List<S> ofSlot = saved.backward().get(slot);
        return ofSlot.get(ofSlot.size() == 1 ? 0 : stash);
    }
}
