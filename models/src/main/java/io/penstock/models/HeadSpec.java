package io.penstock.models;

import io.penstock.tensor.Backend;
import io.penstock.tensor.DType;
import io.penstock.tensor.TensorSource;

/** The last layer: final norm, projection to the vocabulary and loss. */
public non-sealed interface HeadSpec extends LayerSpec {
    /** {@code scratch}: the tensors of {@link #stash}, one set a rank. */
    Head<?> bind(
            Backend backend,
            ParameterSource parameters,
            TensorSource scratch,
            MicroBatchShape microBatch,
            DType compute);
}
