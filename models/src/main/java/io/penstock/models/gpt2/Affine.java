package io.penstock.models.gpt2;

import io.penstock.models.ParameterSource;
import io.penstock.models.parallel.TensorSplit;
import io.penstock.tensor.Backend;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.Write;
import org.jspecify.annotations.Nullable;

/**
 * y = x W + b, W (in, out) as Hugging Face's Conv1D keeps it; I and O stand for in and out. Split over a group by columns, (I, O/tp), its y is this rank's columns;
 * by rows, (I/tp, O), its y is one term of a sum over the group, to which one rank adds the bias. The gradient of such a bias needs no sum: every rank has all of dy.
 */
final class Affine {
    private final Backend backend;
    private final Tensor w_IO;
    private final @Nullable Tensor b_O;
    private final Tensor dw_IO;
    private final Tensor db_O;

    /** Whole, or split by columns. */
    static Affine byColumns(Backend backend, ParameterSource parameters, String module) {
        return new Affine(backend, parameters, module, true);
    }

    /** Whole, or split by rows. */
    static Affine byRows(Backend backend, ParameterSource parameters, String module, TensorSplit split) {
        return new Affine(backend, parameters, module, split.index() == 0);
    }

    private Affine(Backend backend, ParameterSource parameters, String module, boolean addsBias) {
        var weight = parameters.parameter(module + ".weight");
        var bias = parameters.parameter(module + ".bias");
        this.backend = backend;
        this.w_IO = weight.value();
        this.dw_IO = weight.gradient();
        this.b_O = addsBias ? bias.value() : null;
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
