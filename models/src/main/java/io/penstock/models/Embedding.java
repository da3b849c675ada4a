package io.penstock.models;

import io.penstock.tensor.Tensor;

/** Token ids to activations. */
public interface Embedding {
    /** Overwrites y_BTC. tokens_BT is I32. */
    void forward(Tensor y_BTC, Tensor tokens_BT);

    /** Accumulates (+=) the gradients of the tables. */
    void backwardWeight(Tensor dy_BTC, Tensor tokens_BT);
}
