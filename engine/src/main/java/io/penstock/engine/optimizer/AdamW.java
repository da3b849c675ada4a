package io.penstock.engine.optimizer;

import io.penstock.engine.state.ParameterState;
import io.penstock.engine.state.Residency;
import io.penstock.tensor.Backend;
import java.util.List;

/**
 * AdamW (Loshchilov and Hutter 2019). Weight decay on parameters that their spec marks as decayed. {@code clipping}: the largest global gradient norm, infinity for none.
 */
public record AdamW(double beta1, double beta2, double epsilon, double weightDecay, double clipping) {
    /** What gradients are scaled by so that their global norm is at most {@code clipping} (Pascanu, Mikolov and Bengio 2013). */
    public double clipScale(double gradientNorm) {
        return gradientNorm > clipping ? clipping / gradientNorm : 1;
    }

    /** Updates every parameter and zeroes its gradient. {@code step} counts from 0. */
    public void update(
            Backend backend,
            List<ParameterState> parameters,
            Residency residency,
            int step,
            double learningRate,
            double gradientScale) {
        float correction1 = (float) (1 - power(beta1, step + 1));
        float correction2 = (float) (1 - power(beta2, step + 1));
        for (int i = 0; i < parameters.size(); i++) {
            ParameterState parameter = parameters.get(i);
            if (i + 1 < parameters.size()) {
                residency.prefetch(parameters.get(i + 1));
            }
            residency.acquire(parameter);
            backend.adamW(
                    parameter.master(),
                    parameter.firstMoment(),
                    parameter.secondMoment(),
                    parameter.updateGradient(),
                    parameter.refreshed(),
                    (float) learningRate,
                    (float) beta1,
                    (float) beta2,
                    (float) epsilon,
                    parameter.spec().decayed() ? (float) weightDecay : 0,
                    correction1,
                    correction2,
                    (float) gradientScale);
            residency.release(parameter);
        }
    }

    /** By squaring: the same bits everywhere, and no allocation as in {@link StrictMath#pow}. */
    private static double power(double base, int exponent) {
        double power = 1;
        double square = base;
        for (int left = exponent; left > 0; left >>= 1) {
            power *= (left & 1) == 1 ? square : 1;
            square *= square;
        }
        return power;
    }
}
