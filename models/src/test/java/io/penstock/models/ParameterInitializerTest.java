package io.penstock.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import io.penstock.tensor.DType;
import io.penstock.tensor.Shape;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.TestTensors;
import org.junit.jupiter.api.Test;

final class ParameterInitializerTest {
    private static final ParameterSpec WEIGHT = new ParameterSpec(
            "transformer.h.0.mlp.c_fc.weight", Shape.of(100, 1000), new Initialization.Normal(0.02), true, false);

    @Test
    void shouldFollowTheNormalDistribution() {
        Tensor x = filled(WEIGHT, 7);
        double n = x.elements();
        double mean = 0;
        double square = 0;
        double fourth = 0;
        double beyondTwo = 0;
        for (double value : TestTensors.values(x)) {
            double z = value / 0.02;
            mean += z / n;
            square += z * z / n;
            fourth += z * z * z * z / n;
            beyondTwo += Math.abs(z) > 2 ? 1 / n : 0;
        }
        // four standard errors of each statistic at n = 100,000
        assertEquals(0, mean, 4 / Math.sqrt(n));
        assertEquals(1, square, 4 * Math.sqrt(2 / n));
        assertEquals(3, fourth, 4 * Math.sqrt(96 / n));
        assertEquals(0.0455003, beyondTwo, 4 * Math.sqrt(0.0455 * 0.9545 / n));
    }

    @Test
    void shouldInvertTheNormalDistribution() {
        // Abramowitz and Stegun, tables 26.1 and 26.5
        assertEquals(0, NormalQuantile.of(0.5));
        assertEquals(1.2815515655446004, NormalQuantile.of(0.9), 1e-14);
        assertEquals(-1.9599639845400545, NormalQuantile.of(0.025), 1e-14);
        assertEquals(-6.361340902404056, NormalQuantile.of(1e-10), 1e-13);
    }

    @Test
    void shouldFillAPartAsTheWhole() {
        Tensor whole = filled(WEIGHT, 7);
        Tensor part = TestTensors.zeros(DType.F32, 321);
        ParameterInitializer.fill(part, WEIGHT, 7, 45_678);
        for (int i = 0; i < 321; i++) {
            assertEquals(whole.get(45_678 + i), part.get(i));
        }
    }

    @Test
    void shouldDifferBySeedAndByName() {
        var other = new ParameterSpec(
                "transformer.h.1.mlp.c_fc.weight", WEIGHT.shape(), WEIGHT.initialization(), true, false);
        assertNotEquals(filled(WEIGHT, 7).get(0), filled(WEIGHT, 8).get(0));
        assertNotEquals(filled(WEIGHT, 7).get(0), filled(other, 7).get(0));
        assertEquals(filled(WEIGHT, 7).get(5), filled(WEIGHT, 7).get(5));
    }

    private static Tensor filled(ParameterSpec spec, long seed) {
        Tensor x =
                TestTensors.zeros(DType.F32, spec.shape().dim(0), spec.shape().dim(1));
        ParameterInitializer.fill(x, spec, seed);
        return x;
    }
}
