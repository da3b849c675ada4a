package io.penstock.models.gpt2;

import io.penstock.models.ParameterSource;
import io.penstock.tensor.Backend;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.Write;

/** y = x W + b, W (in, out) as Hugging Face's Conv1D keeps it; I and O stand for in and out. */
final class Affine {
    private final Backend backend;
    private final Tensor w_IO;
    private final Tensor b_O;
    private final Tensor dw_IO;
    private final Tensor db_O;

    Affine(Backend backend, ParameterSource parameters, String module) {
        var weight = parameters.parameter(module + ".weight");
        var bias = parameters.parameter(module + ".bias");
        this.backend = backend;
        this.w_IO = weight.value();
        this.dw_IO = weight.gradient();
        this.b_O = bias.value();
        this.db_O = bias.gradient();
    }

    /** Overwrites y_BTO. */
    void forward(Tensor y_BTO, Tensor x_BTI) {
        backend.matmul(y_BTO, x_BTI, false, w_IO, false, b_O, Write.OVERWRITE);
    }

    /** Overwrites dx_BTI. */
    void backwardInput(Tensor dx_BTI, Tensor dy_BTO) {
        // forward: y = x W + b
        backend.matmul(dx_BTI, dy_BTO, false, w_IO, true, null, Write.OVERWRITE);
    }

    /** Accumulates (+=) dW and db. */
    void backwardWeight(Tensor dy_BTO, Tensor x_BTI) {
        // forward: y = x W + b
        backend.matmul(dw_IO, x_BTI, true, dy_BTO, false, null, Write.ACCUMULATE);
        backend.sumRows(db_O, dy_BTO);
    }
}
