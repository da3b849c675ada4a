package io.penstock.engine.sharding;

/** One replica that holds everything and sums gradients in micro-batch order, where nothing is to be done. */
public enum WholeStates implements LayerStates {
    INSTANCE;

    @Override
    public void beforeForward(int chunk, int layer) {}

    @Override
    public void beforeInputGradient(int chunk, int layer, int microBatch) {}

    @Override
    public void afterInputGradient(int chunk, int layer, int microBatch) {}

    @Override
    public void beforeWeightGradient(int chunk, int layer, int microBatch) {}

    @Override
    public void afterWeightGradient(int chunk, int layer, int microBatch) {}

    @Override
    public void gather(int chunk, boolean fromEnd) {}

    @Override
    public void release(int chunk) {}

    @Override
    public void reduce(int chunk, int leaf) {}
}
