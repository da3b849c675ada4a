package io.penstock.models.gpt2;

import io.penstock.models.ParameterSource;
import io.penstock.tensor.Tensor;

/** The gain and bias of a layer norm, and their gradients. */
record NormParameters(Tensor gain_C, Tensor bias_C, Tensor dgain_C, Tensor dbias_C) {
    static NormParameters of(ParameterSource parameters, String module) {
        var gain = parameters.parameter(module + ".weight");
        var bias = parameters.parameter(module + ".bias");
        return new NormParameters(gain.value(), bias.value(), gain.gradient(), bias.gradient());
    }
}
