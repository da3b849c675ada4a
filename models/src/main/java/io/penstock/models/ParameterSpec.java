package io.penstock.models;

import io.penstock.tensor.Shape;

/**
 * A parameter by its Hugging Face name. Matrices (two dims) have a working copy in the compute type beside their F32 master; vectors are used from the
 * master. {@code tied}: the parameter is used by the embedding and by the head, each with a gradient of its own, summed (embedding + head) before the update.
 */
public record ParameterSpec(String name, Shape shape, Initialization initialization, boolean decayed, boolean tied) {
    public boolean isMatrix() {
        return shape.rank() == 2;
    }
}
