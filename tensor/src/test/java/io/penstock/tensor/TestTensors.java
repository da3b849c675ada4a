package io.penstock.tensor;

import java.lang.foreign.Arena;
import java.util.SplittableRandom;

/** Tensors for tests, in host memory that lives as long as somebody looks at it, and their comparison. */
public final class TestTensors {
    private TestTensors() {}

    /** Contiguous, zeroed. */
    public static Tensor zeros(DType dtype, long... dims) {
        Shape shape = Shape.of(dims);
        return Tensor.of(
                Arena.ofAuto()
                        .allocate(Math.max(1, shape.elements() * dtype.bytes()), TensorTable.ALIGNMENT)
                        .asSlice(0, shape.elements() * dtype.bytes()),
                dtype,
                shape);
    }

    /** Uniform in [-1, 1), rounded to the dtype; the same seed gives the same values, whatever the dtype. */
    public static Tensor random(long seed, DType dtype, long... dims) {
        Tensor x = zeros(dtype, dims);
        SplittableRandom random = new SplittableRandom(seed);
        for (long i = 0; i < x.elements(); i++) {
            x.set(i, random.nextDouble(-1, 1));
        }
        return x;
    }

    /** I32, uniform in [from, below). */
    public static Tensor randomInts(long seed, int from, int below, long... dims) {
        Tensor x = zeros(DType.I32, dims);
        SplittableRandom random = new SplittableRandom(seed);
        for (long i = 0; i < x.elements(); i++) {
            x.set(i, random.nextInt(from, below));
        }
        return x;
    }

    /** One row of these values. */
    public static Tensor of(DType dtype, double... values) {
        Tensor x = zeros(dtype, values.length);
        for (int i = 0; i < values.length; i++) {
            x.set(i, values[i]);
        }
        return x;
    }

    /** A contiguous copy of x, rounded to {@code dtype}. */
    public static Tensor copy(Tensor x, DType dtype) {
        Shape shape = x.shape();
        long[] dims = new long[shape.rank()];
        for (int i = 0; i < dims.length; i++) {
            dims[i] = shape.dim(i);
        }
        Tensor y = zeros(dtype, dims);
        for (long i = 0; i < x.elements(); i++) {
            y.set(i, x.get(i));
        }
        return y;
    }

    public static double[] values(Tensor x) {
        double[] values = new double[Math.toIntExact(x.elements())];
        for (int i = 0; i < values.length; i++) {
            values[i] = x.get(i);
        }
        return values;
    }

    public static double maxAbs(Tensor x) {
        double max = 0;
        for (double value : values(x)) {
            max = Math.max(max, Math.abs(value));
        }
        return max;
    }

    /**
     * Fails with {@link AssertionError} unless |actual - expected| <= absolute + relative |expected| at every element (NaN and infinities equal themselves); prints the name,
     * the largest difference against its bound, where, and the first five values of both. Shapes count as element lists.
     */
    public static void assertClose(String name, Tensor actual, Tensor expected, double relative, double absolute) {
        if (actual.elements() != expected.elements()) {
            throw new AssertionError(name + " is " + actual + ", expected " + expected);
        }
        long worst = -1;
        double worstExcess = 0;
        for (long i = 0; i < expected.elements(); i++) {
            double difference = difference(actual.get(i), expected.get(i));
            double bound = absolute + relative * Math.abs(expected.get(i));
            boolean close = difference == 0 || (difference <= bound && Double.isFinite(difference));
            double excess = Double.isFinite(difference / bound) ? difference / bound : Double.POSITIVE_INFINITY;
            if (!close && (worst < 0 || excess > worstExcess)) {
                worst = i;
                worstExcess = excess;
            }
        }
        if (worst >= 0) {
            throw new AssertionError(name + " " + expected + ": at index " + worst + " it is " + actual.get(worst)
                    + ", expected " + expected.get(worst) + ", difference "
                    + difference(actual.get(worst), expected.get(worst)) + " against a bound of " + absolute + " + "
                    + relative + " |expected|; first actual " + firstFive(actual) + ", first expected "
                    + firstFive(expected));
        }
    }

    private static double difference(double actual, double expected) {
        boolean same = actual == expected || (Double.isNaN(actual) && Double.isNaN(expected));
        return same ? 0 : Math.abs(actual - expected);
    }

    private static String firstFive(Tensor x) {
        StringBuilder text = new StringBuilder("[");
        for (long i = 0; i < Math.min(5, x.elements()); i++) {
            text.append(i == 0 ? "" : ", ").append(x.get(i));
        }
        return text.append(x.elements() > 5 ? ", ...]" : "]").toString();
    }
}
