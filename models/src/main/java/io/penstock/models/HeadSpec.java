package io.penstock.models;

/** The last layer: final norm, projection to the vocabulary and loss. */
public non-sealed interface HeadSpec extends LayerSpec {
    /** Its scratch: the tensors of {@link #stash}, one set a rank. */
    Head<?> bind(LayerContext context);
}
