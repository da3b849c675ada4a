package io.penstock.models.llama;

import io.penstock.models.ParameterSource;
import io.penstock.tensor.Backend;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.Write;
import org.jspecify.annotations.Nullable;

/**
 * y = x W', W (out, in) as Hugging Face's Linear keeps it; I and O stand for in and out. Split over a group by outputs, (O/tp, I), its y is this rank's columns; by inputs,
 * (O, I/tp), its y is one term of a sum over the group.
 */
final class Linear {
    private final Backend backend;
    private final Tensor w_OI;
    private final Tensor dw_OI;

    Linear(Backend backend, ParameterSource parameters, String module) {
        var weight = parameters.parameter(module + ".weight");
        this.backend = backend;
        this.w_OI = weight.value();
        this.dw_OI = weight.gradient();
    }

    /** Overwrites y_BTO. */
    void forward(Tensor y_BTO, Tensor x_BTI) {
        backend.matmul(y_BTO, x_BTI, false, w_OI, true, null, Write.OVERWRITE);
    }

    /** Overwrites dx_BTI. */
    void backwardInput(Tensor dx_BTI, Tensor dy_BTO) {
        backwardInput(dx_BTI, dy_BTO, Write.OVERWRITE);
    }

    /** Accumulates (+=) into dx_BTI, of the accumulator type: for an x that several layers read. */
    void addBackwardInput(Tensor dx_BTI, Tensor dy_BTO) {
        backwardInput(dx_BTI, dy_BTO, Write.ACCUMULATE);
    }

    private void backwardInput(Tensor dx_BTI, Tensor dy_BTO, Write write) {
        // forward: y = x W'
        backend.matmul(dx_BTI, dy_BTO, false, w_OI, false, null, write);
    }

    /** Accumulates (+=) dW. */
    void backwardWeight(Tensor dy_BTO, Tensor x_BTI) {
        // forward: y = x W'
        backend.matmul(dw_OI, dy_BTO, true, x_BTI, false, null, Write.ACCUMULATE);
    }

    /** Where the input gradient of layers that read one x is summed, in the accumulator type: {@code dx_BTI} itself unless there is a wider tensor. */
    static Tensor sumOf(Tensor dx_BTI, @Nullable Tensor wide_BTI) {
        return wide_BTI == null ? dx_BTI : wide_BTI;
    }
}
