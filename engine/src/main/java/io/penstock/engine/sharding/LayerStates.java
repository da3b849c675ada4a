package io.penstock.engine.sharding;

/** What is to be done for the parameters and gradients of a layer around its computations. {@code chunk} and {@code layer} count from 0 on the rank and in the chunk. */
public interface LayerStates {
    /** The layer's parameters are about to be read by a forward. */
    void beforeForward(int chunk, int layer);

    /** The layer's parameters are about to be read by an input gradient, and the gradients that it completes to be accumulated. */
    void beforeInputGradient(int chunk, int layer, int microBatch);

    void afterInputGradient(int chunk, int layer, int microBatch);

    /** The gradients that a weight gradient completes are about to be accumulated. */
    void beforeWeightGradient(int chunk, int layer, int microBatch);

    void afterWeightGradient(int chunk, int layer, int microBatch);

    /** A computation on the chunk comes after the next one: with its last layers first if {@code fromEnd}. */
    void gather(int chunk, boolean fromEnd);

    /** No computation on the chunk comes before the next {@link #gather}. */
    void release(int chunk);

    /** The gradients of a leaf of micro-batches are there. */
    void reduce(int chunk, int leaf);
}
