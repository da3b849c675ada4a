package io.penstock.models;

import io.penstock.tensor.Backend;
import io.penstock.tensor.DType;

/** A layer between embedding and head; activations (B, T, C) in and out. Non-sealed: users bring their own. */
public non-sealed interface BlockSpec extends LayerSpec {
    Block<?, ?> bind(Backend backend, ParameterSource parameters, MicroBatchShape microBatch, DType compute);
}
