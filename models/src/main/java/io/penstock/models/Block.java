package io.penstock.models;

import io.penstock.tensor.Tensor;
import io.penstock.tensor.TensorSource;

/**
 * A layer bound to a backend and its parameters. {@code S}: the record of what forward saves; {@code G}: the record of what backward stashes. Both are views built once,
 * a slot each; the calls allocate nothing. backwardInput followed by backwardWeight has the same bits however far apart they run.
 */
public interface Block<S, G> {
    S saved(TensorSource slot);

    G stash(TensorSource slot);

    /** Overwrites y_BTC and saved; x_BTC stays with the caller until the weight gradient is done. y_BTC and x_BTC differ. */
    void forward(Tensor y_BTC, Tensor x_BTC, S saved);

    /**
     * Overwrites what of {@code saved} is not kept under {@code recomputation} with the bits that forward gave it, before {@link #backwardInput}. What is kept is there; x_BTC is
     * what forward read. May overwrite scratch_BTC. By default the whole forward runs again.
     */
    default void recompute(Tensor scratch_BTC, Tensor x_BTC, S saved, Recomputation recomputation) {
        forward(scratch_BTC, x_BTC, saved);
    }

    /** Overwrites dx_BTC and stash; dy_BTC must stay until backwardWeight. Gradients of vectors that fall out on the way (norms) are accumulated here. */
    void backwardInput(Tensor dx_BTC, Tensor dy_BTC, Tensor x_BTC, S saved, G stash);

    /** Accumulates (+=) the gradients of the matrices and their biases. */
    void backwardWeight(Tensor dy_BTC, Tensor x_BTC, S saved, G stash);

    /** Both at once, with the bits of the two calls; a layer that talks to other ranks computes its weight gradients meanwhile. */
    default void backward(Tensor dx_BTC, Tensor dy_BTC, Tensor x_BTC, S saved, G stash) {
        backwardInput(dx_BTC, dy_BTC, x_BTC, saved, stash);
        backwardWeight(dy_BTC, x_BTC, saved, stash);
    }
}
