package io.penstock.models;

import io.penstock.tensor.Backend;

/** The first layer: token ids to activations. Its saved table and stash are empty. */
public non-sealed interface EmbeddingSpec extends LayerSpec {
    Embedding bind(Backend backend, ParameterSource parameters, MicroBatchShape microBatch);
}
