package io.penstock.models.llama;

import io.penstock.models.ParameterSource;
import io.penstock.tensor.Backend;
import io.penstock.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/** n = x * rstd * g over C, rstd = 1 / sqrt(mean(x^2) + eps). Zhang and Sennrich 2019. */
final class RmsNorm {
    private final Backend backend;
    private final Tensor gain_C;
    private final Tensor dgain_C;
    private final float epsilon;

    RmsNorm(Backend backend, ParameterSource parameters, String module, float epsilon) {
        var gain = parameters.parameter(module + ".weight");
        this.backend = backend;
        this.gain_C = gain.value();
        this.dgain_C = gain.gradient();
        this.epsilon = epsilon;
    }

    /** Overwrites n_BTC and rstd_BT. */
    void forward(Tensor n_BTC, Tensor rstd_BT, Tensor x_BTC) {
        backend.rmsNorm(n_BTC, rstd_BT, x_BTC, gain_C, epsilon);
    }

    /** Overwrites h_BTC = x + a, n_BTC and rstd_BT of it. h_BTC may be a_BTC. */
    void addForward(Tensor h_BTC, Tensor n_BTC, Tensor rstd_BT, Tensor a_BTC, Tensor x_BTC) {
        backend.addRmsNorm(h_BTC, n_BTC, rstd_BT, a_BTC, x_BTC, gain_C, epsilon);
    }

    /** Overwrites dx_BTC = dresidual + the gradient through the norm, may alias dn_BTC. Accumulates (+=) dg. */
    void backward(Tensor dx_BTC, Tensor dn_BTC, @Nullable Tensor dresidual_BTC, Tensor x_BTC, Tensor rstd_BT) {
        // forward: n = x rstd g
        backend.rmsNormBackward(dx_BTC, dgain_C, dn_BTC, dresidual_BTC, x_BTC, gain_C, rstd_BT);
    }
}
