package io.penstock.tensor;

/** Shape and bounds checks of operations: on unless {@code -Dpenstock.checks=false}; the tests force them on. */
public final class Checks {
    public static final boolean ENABLED = !"false".equals(System.getProperty("penstock.checks"));

    private Checks() {}

    /** {@code numerator / denominator}, which must be exact; the error prints both with their names. */
    public static long divideExact(long numerator, String numeratorName, long denominator, String denominatorName) {
        if (denominator <= 0 || numerator % denominator != 0) {
            throw new IllegalArgumentException(
                    numeratorName + "=" + numerator + " % " + denominatorName + "=" + denominator
                            + (denominator <= 0 ? " is undefined" : " = " + numerator % denominator + ", expected 0"));
        }
        return numerator / denominator;
    }

    public static void shape(String name, Tensor tensor, Shape expected) {
        if (!tensor.shape().equals(expected)) {
            throw new IllegalStateException(name + " has shape " + tensor.shape() + ", expected " + expected);
        }
    }

    public static void elements(String name, Tensor tensor, long expected) {
        if (tensor.elements() != expected) {
            throw new IllegalStateException(
                    name + " " + tensor.shape() + " has " + tensor.elements() + " elements, expected " + expected);
        }
    }

    public static void dtype(String name, Tensor tensor, DType expected) {
        if (tensor.dtype() != expected) {
            throw new IllegalStateException(name + " is " + tensor.dtype() + ", expected " + expected);
        }
    }

    public static void contiguous(String name, Tensor tensor) {
        if (!tensor.isContiguous()) {
            throw new IllegalStateException(name + " " + tensor.shape() + " has row stride " + tensor.rowStride()
                    + ", expected contiguous rows");
        }
    }
}
