package io.penstock.models.parallel;

import io.penstock.tensor.Tensor;

/**
 * The ranks that share each layer, as one of them sees it. All of them start the same operations in the same order on tensors of the same shape; what is
 * started runs while this thread computes, and its tensor may not be touched until {@link #await}. Sums are taken in the order of indices, whatever the
 * timing, so that all ranks have the same bits, and the same from run to run. On a device an operation comes after what the backend was asked for before it is started, and what the
 * backend is asked for after {@link #await} finds the result.
 *
 * <p>Tensors are contiguous, of a compute type or its accumulator. Their rows (the last dim is a row) are shared out as {@link TensorSplit#begin} says.
 */
public interface TensorGroup {
    /** Ranks; 1 where layers are whole. */
    int size();

    /** The place of this rank, 0 to size - 1. */
    int index();

    /** Overwrites x on every rank with the sum of all, rounded once to its dtype. */
    void startAllReduce(Tensor x);

    /** Overwrites this rank's rows of x with their sum over all ranks, rounded once to its dtype; leaves undefined what is in the other rows. */
    void startReduceScatter(Tensor x);

    /** Overwrites every other rank's rows of x with what that rank has there. */
    void startAllGather(Tensor x);

    /** Does what this thread can do for the operations under way without waiting; to be called between pieces of work. */
    void poll();

    /** Waits until everything started is done. */
    void await();

    /** The group of one: nothing to do. */
    static TensorGroup alone() {
        return Alone.INSTANCE;
    }
}
