package io.penstock.tensor.reference;

import io.penstock.tensor.Tensor;

/** GELU, tanh form: y = 0.5 x (1 + tanh(u)), u = sqrt(2/pi) (x + 0.044715 x^3). Hendrycks and Gimpel 2016. */
final class ReferenceActivation {
    private static final double SQRT_2_OVER_PI = Math.sqrt(2 / Math.PI);
    private static final double CUBE = 0.044715;

    private ReferenceActivation() {}

    static void gelu(Tensor y, Tensor x) {
        for (long i = 0; i < x.elements(); i++) {
            double value = x.get(i);
            double u = SQRT_2_OVER_PI * (value + CUBE * value * value * value);
            y.set(i, 0.5 * value * (1 + Math.tanh(u)));
        }
    }

    static void geluBackward(Tensor dx, Tensor dy, Tensor x) {
        for (long i = 0; i < x.elements(); i++) {
            double value = x.get(i);
            // forward: u = sqrt(2/pi) (x + 0.044715 x^3), y = 0.5 x (1 + tanh(u))
            double tanh = Math.tanh(SQRT_2_OVER_PI * (value + CUBE * value * value * value));
            double du = SQRT_2_OVER_PI * (1 + 3 * CUBE * value * value);
            dx.set(i, dy.get(i) * (0.5 * (1 + tanh) + 0.5 * value * (1 - tanh * tanh) * du));
        }
    }
}
