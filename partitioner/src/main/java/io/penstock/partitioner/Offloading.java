package io.penstock.partitioner;

/** What of its states a rank keeps outside of its device's memory (Rajbhandari et al. 2021, "ZeRO-Infinity"). */
public enum Offloading {
    NONE,
    /** Masters that are memory of their own, and both moments of every parameter. */
    OPTIMIZER,
    /** Those, and the matrices of blocks: layers compute with copies in a few windows, made from the masters. */
    PARAMETERS;

    public boolean ofOptimizer() {
        return switch (this) {
            case NONE -> false;
            case OPTIMIZER, PARAMETERS -> true;
        };
    }

    public boolean ofParameters() {
        return switch (this) {
            case NONE, OPTIMIZER -> false;
            case PARAMETERS -> true;
        };
    }
}
