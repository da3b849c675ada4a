package io.penstock.engine.config;

import io.penstock.partitioner.Offloading;

/** What lives outside of a rank's device memory. */
public enum Offload {
    NONE("none"),
    OPTIMIZER("optimizer"),
    PARAMETERS("parameters"),
    ACTIVATIONS("activations");

    private final String word;

    Offload(String word) {
        this.word = word;
    }

    Offloading offloading() {
        return switch (this) {
            case NONE -> Offloading.NONE;
            case OPTIMIZER -> Offloading.OPTIMIZER;
            case PARAMETERS -> Offloading.PARAMETERS;
            case ACTIVATIONS -> Offloading.ACTIVATIONS;
        };
    }

    /** The word in the configuration. */
    @Override
    public String toString() {
        return word;
    }
}
