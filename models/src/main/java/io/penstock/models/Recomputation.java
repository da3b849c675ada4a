package io.penstock.models;

/** What of a layer's activations is computed again in the backward pass instead of kept (Chen et al. 2016; Korthikanti et al. 2022). */
public enum Recomputation {
    /** Nothing. */
    NONE,
    /** What is cheap: everything that is no matrix product's output, attention among it. */
    SELECTIVE,
    /** Everything but the layer's input. */
    FULL
}
