package io.penstock.models;

import io.penstock.models.parallel.Distribution;
import io.penstock.tensor.Shape;

/**
 * A parameter by its Hugging Face name. Matrices (two dims) have a working copy in the compute type beside their F32 master; vectors are used from the
 * master. {@code tied}: the parameter is used by the embedding and by the head, each with a gradient of its own, summed (embedding + head) before the update.
 *
 * @param shape of what a rank holds
 * @param distribution how that lies in the whole parameter, and whose gradient is whose
 */
public record ParameterSpec(
        String name,
        Shape shape,
        Initialization initialization,
        boolean decayed,
        boolean tied,
        Distribution distribution) {
    public ParameterSpec {
        if (distribution instanceof Distribution.Split split && !split.shape().equals(shape)) {
            throw new IllegalArgumentException(
                    name + " " + shape + " is not the part " + split.shape() + " of " + split);
        }
    }

    /** A parameter that every rank of a tensor-parallel group holds whole. */
    public ParameterSpec(String name, Shape shape, Initialization initialization, boolean decayed, boolean tied) {
        this(name, shape, initialization, decayed, tied, Distribution.Replicated.WHOLE_GRADIENT);
    }

    /** The part of this whole parameter that {@code split} describes. */
    public ParameterSpec part(Distribution.Split split) {
        return new ParameterSpec(name, split.shape(), initialization, decayed, tied, split);
    }

    /** As in a model's files. */
    public Shape wholeShape() {
        return distribution instanceof Distribution.Split split ? split.whole() : shape;
    }

    public boolean isMatrix() {
        return shape.rank() == 2;
    }
}
