package io.penstock.engine.config;

import io.penstock.partitioner.estimate.Layout;

/** What a planned layout keeps in the host's memory. */
public enum PlannedOffload {
    NONE("none", Layout.Offload.NONE),
    OPTIMIZER("optimizer", Layout.Offload.OPTIMIZER),
    ACTIVATIONS("activations", Layout.Offload.ACTIVATIONS),
    BOTH("optimizer-and-activations", Layout.Offload.OPTIMIZER_AND_ACTIVATIONS);

    private final String word;
    private final Layout.Offload offload;

    PlannedOffload(String word, Layout.Offload offload) {
        this.word = word;
        this.offload = offload;
    }

    public Layout.Offload offload() {
        return offload;
    }

    /** The word of what a plan chose. */
    public static PlannedOffload of(Layout.Offload chosen) {
        return switch (chosen) {
            case NONE -> NONE;
            case OPTIMIZER -> OPTIMIZER;
            case ACTIVATIONS -> ACTIVATIONS;
            case OPTIMIZER_AND_ACTIVATIONS -> BOTH;
        };
    }

    /** The word in the configuration. */
    @Override
    public String toString() {
        return word;
    }
}
