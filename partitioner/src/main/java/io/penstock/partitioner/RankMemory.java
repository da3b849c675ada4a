package io.penstock.partitioner;

import io.penstock.tensor.TensorTable;

/**
 * The tables from which a rank's owners carve their memory; their sum is the prediction. The same tables are used by planner and engine.
 *
 * @param parameters F32 masters of all parameters, working copies of the matrices (none where the compute type is the master's)
 * @param gradients one accumulator a parameter; for a tied one also the peer side's
 * @param optimizer m and v of every parameter
 * @param activations boundary activations and saved tensors, a slot a micro-batch in flight
 * @param stash backward's stash, what is recomputed, and the head's scratch
 * @param buffers messages, token buffers and gradients between layers
 * @param workspaceBytes what the backend holds for its kernels
 * @param store states that live outside of the device
 */
public record RankMemory(
        TensorTable parameters,
        TensorTable gradients,
        TensorTable optimizer,
        TensorTable activations,
        TensorTable stash,
        TensorTable buffers,
        long workspaceBytes,
        TensorTable store) {
    /** Of the device: all but the store. */
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
