package io.penstock.models;

/** The first layer: token ids to activations. Its saved table and stash are empty. */
public non-sealed interface EmbeddingSpec extends LayerSpec {
    Embedding bind(LayerContext context);
}
