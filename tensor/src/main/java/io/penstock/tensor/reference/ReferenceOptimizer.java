package io.penstock.tensor.reference;

import io.penstock.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/** The gradient norm and AdamW (Loshchilov and Hutter 2019, algorithm 2). */
final class ReferenceOptimizer {
    private ReferenceOptimizer() {}

    static double sum(Tensor x) {
        double sum = 0;
        for (double value : Values.read(x)) {
            sum += value;
        }
        return sum;
    }

    static double sumOfSquares(Tensor x) {
        double sum = 0;
        for (double value : Values.read(x)) {
            sum += value * value;
        }
        return sum;
    }

    static void adamW(
            Tensor weight,
            Tensor m,
            Tensor v,
            Tensor gradient,
            @Nullable Tensor working,
            double learningRate,
            double beta1,
            double beta2,
            double eps,
            double weightDecay,
            double correction1,
            double correction2,
            double gradientScale) {
        for (long i = 0; i < weight.elements(); i++) {
            double g = gradientScale * gradient.get(i);
            double newM = beta1 * m.get(i) + (1 - beta1) * g;
            double newV = beta2 * v.get(i) + (1 - beta2) * g * g;
            double w = weight.get(i);
            double update = newM / correction1 / (Math.sqrt(newV / correction2) + eps) + weightDecay * w;
            weight.set(i, w - learningRate * update);
            m.set(i, newM);
            v.set(i, newV);
            gradient.set(i, 0);
            if (working != null) {
                // of the weight as stored, so that working can be made again from it
                working.set(i, weight.get(i));
            }
        }
    }
}
