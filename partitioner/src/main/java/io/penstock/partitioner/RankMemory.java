package io.penstock.partitioner;

import io.penstock.partitioner.memory.OffloadedSlots;
import io.penstock.tensor.TensorTable;

/**
 * The tables from which a rank's owners carve their memory; their sum is the prediction. The same tables are used by planner and engine.
 *
 * @param parameters F32 masters of all parameters, working copies of the matrices (none where the compute type is the master's)
 * @param gradients one accumulator a parameter; for a tied one also the peer side's
 * @param optimizer m and v of every parameter
 * @param activations boundary activations and saved tensors, a slot a micro-batch in flight; two regions where they are offloaded
 * @param stash backward's stash, what is recomputed, and the head's scratch
 * @param buffers messages, token buffers and gradients between layers
 * @param workspaceBytes what the backend holds for its kernels
 * @param store states that live outside of the device
 * @param offloadedSlots activations that do
 */
public record RankMemory(
        TensorTable parameters,
        TensorTable gradients,
        TensorTable optimizer,
        TensorTable activations,
        TensorTable stash,
        TensorTable buffers,
        long workspaceBytes,
        TensorTable store,
        OffloadedSlots offloadedSlots) {
    /** Outside of the device. */
    public long offloadedBytes() {
        return Math.addExact(store.totalBytes(), offloadedSlots.storeTable().totalBytes());
    }

    /** Of the device: all but the stores. */
    public long totalBytes() {
        return parameters.totalBytes()
                + gradients.totalBytes()
                + optimizer.totalBytes()
                + activations.totalBytes()
                + stash.totalBytes()
                + buffers.totalBytes()
                + workspaceBytes;
    }
}
