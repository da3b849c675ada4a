package io.penstock.engine.state;

import io.penstock.models.ParameterSpec;
import io.penstock.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * All tensors of one parameter on a rank.
 *
 * @param working the compute type's copy of the master; absent where the master is computed with
 * @param gradient what this rank's layers accumulate into; for a tied parameter that both its layers share a rank, the embedding's side
 * @param tiedGradient of a tied parameter: the other side's gradient, the head's where both are here
 */
public record ParameterState(
        ParameterSpec spec,
        Tensor master,
        @Nullable Tensor working,
        Tensor gradient,
        @Nullable Tensor tiedGradient,
        Tensor firstMoment,
        Tensor secondMoment) {
    /** What layers compute with. */
    public Tensor value() {
        return working == null ? master : working;
    }
}
