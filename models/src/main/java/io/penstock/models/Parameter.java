package io.penstock.models;

import io.penstock.tensor.Tensor;

/**
 * What a layer sees of a parameter: {@code value} to compute with (working copy of a matrix in the compute type, or the master of a vector) and {@code gradient} of the
 * accumulator type to accumulate into.
 */
public record Parameter(ParameterSpec spec, Tensor value, Tensor gradient) {}
