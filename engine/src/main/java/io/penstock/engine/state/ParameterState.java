package io.penstock.engine.state;

import io.penstock.models.ParameterSpec;
import io.penstock.tensor.Shape;
import io.penstock.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * All tensors of one parameter on a rank.
 *
 * @param value what layers compute with, whole
 * @param wholeValue the same memory, flat, padding included; of a windowed one it is the window's
 * @param windowed whether {@code value} exists only while its block is at work
 * @param firstElement the first element of the parameter that this rank updates
 * @param master the elements that this rank updates, in the accumulator type, in the parameter's dims where that is all of them, else flat; padding past the parameter's end is zero
 * @param refreshed what the update rounds the master into: its part of the value; absent where the master is that part, or the value is windowed
 * @param gradient of this rank's layers; for a tied parameter that both its layers share a rank, the embedding's side
 * @param headGradient of a tied parameter whose both layers are here: the head's side
 * @param otherSide of a tied parameter whose other layer is on another rank: where the sum of that side arrives
 */
public record ParameterState(
        ParameterSpec spec,
        Tensor value,
        Tensor wholeValue,
        boolean windowed,
        long firstElement,
        Tensor master,
        @Nullable Tensor refreshed,
        GradientSum gradient,
        @Nullable GradientSum headGradient,
        @Nullable Tensor otherSide,
        Tensor firstMoment,
        Tensor secondMoment) {

    /** Whether {@link #master} is memory of its own and not the value itself. */
    public boolean hasMaster() {
        return windowed || refreshed != null;
    }

    /** The gradient of the elements of {@link #master}. */
    public Tensor updateGradient() {
        return master.elements() == gradient.total().elements() ? gradient.total() : gradient.whole();
    }

    /** The elements of {@link #master} that are the parameter's, flat. */
    public Tensor updatedElements() {
        return updated(master);
    }

    /** The same elements of another state of this parameter, such as a moment. */
    public Tensor updated(Tensor other) {
        return other.reshape(Shape.of(other.elements())).slice(0, masterElements());
    }

    /** How many elements of {@link #master}, from its start, are the parameter's and not padding. */
    public long masterElements() {
        return Math.clamp(spec.shape().elements() - firstElement, 0, master.elements());
    }
}
