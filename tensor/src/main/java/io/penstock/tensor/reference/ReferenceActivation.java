package io.penstock.tensor.reference;

import io.penstock.tensor.Tensor;

/**
 * SwiGLU: y = silu(gate) * up, silu(x) = x / (1 + e^-x), Shazeer 2020. GELU, tanh form: y = 0.5 x (1 + tanh(u)), u = sqrt(2/pi) (x + 0.044715 x^3), Hendrycks and
 * Gimpel 2016.
 */
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

    static void swiglu(Tensor y, Tensor gate, Tensor up) {
        for (long i = 0; i < y.elements(); i++) {
            double x = gate.get(i);
            y.set(i, x / (1 + Math.exp(-x)) * up.get(i));
        }
    }

    static void swigluBackward(Tensor dgate, Tensor dup, Tensor dy, Tensor gate, Tensor up) {
        for (long i = 0; i < dy.elements(); i++) {
            double x = gate.get(i);
            double gradient = dy.get(i);
            // forward: y = x s up, s = 1 / (1 + e^-x)
            double s = 1 / (1 + Math.exp(-x));
            dgate.set(i, gradient * up.get(i) * (s + x * s * (1 - s)));
            dup.set(i, gradient * x * s);
        }
    }
}
