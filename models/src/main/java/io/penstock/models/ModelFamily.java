package io.penstock.models;

import io.penstock.models.parallel.TensorSplit;

/** An architecture that can be trained. */
public interface ModelFamily {
    /** The value of {@code model.architecture}: "gpt2". */
    String architecture();

    /** What one rank of a tensor-parallel group holds. Throws {@link IllegalArgumentException} for a model that cannot be split so. */
    ModelSpec spec(ModelConfig config, TensorSplit split);

    /** Whole layers. */
    default ModelSpec spec(ModelConfig config) {
        return spec(config, TensorSplit.WHOLE);
    }
}
