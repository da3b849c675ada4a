package io.penstock.models;

import io.penstock.tensor.Tensor;
import io.penstock.tensor.TensorSource;

/**
 * Final norm, projection to the vocabulary and cross-entropy. The logits exist only in chunks of tokens: while a chunk is in cache its loss, its input gradient and its
 * weight gradient are taken, so the head has no separate weight-gradient call; a schedule counts all of it as its backward.
 */
public interface Head<S> {
    S saved(TensorSource slot);

    /** Overwrites saved with the normed input and its statistics. */
    void forward(Tensor x_BTC, S saved);

    /** Overwrites loss_1 (F64) with the sum of the tokens' losses in nats, without gradients. targets_BT is I32. */
    void loss(Tensor loss_1, Tensor targets_BT, S saved);

    /**
     * Overwrites loss_1 (F64) with the sum of the tokens' losses in nats and dx_BTC with the gradient of {@code scale} times that sum, and accumulates (+=) the head's gradients.
     * x_BTC is what forward read.
     */
    void backward(Tensor loss_1, Tensor dx_BTC, Tensor x_BTC, Tensor targets_BT, float scale, S saved);

    /** Overwrites logits_V (accumulator type) for token {@code row} of the B*T tokens of the last forward into saved. */
    void logits(Tensor logits_V, int row, S saved);
}
