package io.penstock.models;

/** What of a layer's activations is computed again in the backward pass instead of kept (Chen et al. 2016; Korthikanti et al. 2022). */
public enum Recomputation {
    /** Nothing. */
    NONE("none"),
    /** What is cheap: everything that is no matrix product's output, attention among it. */
    SELECTIVE("selective"),
    /** Everything but the layer's input. */
    FULL("full");

    private final String word;

    Recomputation(String word) {
        this.word = word;
    }

    @Override
    public String toString() {
        return word;
    }
}
