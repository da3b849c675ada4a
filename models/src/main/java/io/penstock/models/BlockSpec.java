package io.penstock.models;

/** A layer between embedding and head; activations (B, T, C) in and out. Non-sealed: users bring their own. */
public non-sealed interface BlockSpec extends LayerSpec {
    Block<?, ?> bind(LayerContext context);
}
