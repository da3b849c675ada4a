package io.penstock.tensor;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.DoubleSupplier;

/**
 * Holds gradients to central differences of a scalar, in double: (f(x + h) - f(x - h)) / 2h of every element of every named F64 tensor (or of a seeded
 * sample of large ones) against what backward computed.
 *
 * <pre>{@code
 * GradientCheck.of("layer norm", () -> weightedSum(forward()))
 *         .gradient("x", x, dx)
 *         .gradient("gain", gain, dgain)
 *         .check(1e-8);
 * }</pre>
 */
public final class GradientCheck {
    private static final double STEP = 1e-5;
    private static final int SAMPLES = 400;
    private static final long SEED = 20261121;

    private record Pair(Tensor x, Tensor dx) {}

    private final String name;
    private final DoubleSupplier function;
    private final Map<String, Pair> pairs = new LinkedHashMap<>();

    private GradientCheck(String name, DoubleSupplier function) {
        this.name = name;
        this.function = function;
    }

    /** {@code function} recomputes the scalar from the current values of its tensors; its gradients must already be there. */
    public static GradientCheck of(String name, DoubleSupplier function) {
        return new GradientCheck(name, function);
    }

    /** {@code dx} is to be the gradient of the function by {@code x}, both F64. */
    public GradientCheck gradient(String tensor, Tensor x, Tensor dx) {
        Checks.dtype(tensor, x, DType.F64);
        Checks.elements("gradient of " + tensor, dx, x.elements());
        pairs.put(tensor, new Pair(x, TestTensors.copy(dx, DType.F64)));
        return this;
    }

    /** The difference may be {@code tolerance} times (1 + the largest gradient of the tensor); 1e-8 suits functions of order 1. */
    public void check(double tolerance) {
        pairs.forEach((tensor, pair) -> check(tensor, pair, tolerance));
    }

    private void check(String tensor, Pair pair, double tolerance) {
        double bound = tolerance * (1 + TestTensors.maxAbs(pair.dx));
        SplittableRandom random = new SplittableRandom(SEED);
        long elements = pair.x.elements();
        for (long n = 0; n < Math.min(elements, SAMPLES); n++) {
            long i = elements <= SAMPLES ? n : random.nextLong(elements);
            double numeric = centralDifference(pair.x, i);
            double difference = Math.abs(numeric - pair.dx.get(i));
            if (!(difference <= bound)) {
                throw new AssertionError(
                        name + ": gradient of " + tensor + " " + pair.x.shape() + " at index " + i + " is "
                                + pair.dx.get(i) + ", central difference " + numeric + ", apart by " + difference
                                + " against a bound of " + bound);
            }
        }
    }

    private double centralDifference(Tensor x, long i) {
        double value = x.get(i);
        x.set(i, value + STEP);
        double above = function.getAsDouble();
        x.set(i, value - STEP);
        double below = function.getAsDouble();
        x.set(i, value);
        return (above - below) / (2 * STEP);
    }
}
