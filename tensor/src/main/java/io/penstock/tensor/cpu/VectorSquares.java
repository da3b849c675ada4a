package io.penstock.tensor.cpu;

import jdk.incubator.vector.DoubleVector;

/** The loop of {@link SumOfSquares}. */
final class VectorSquares {
    /** Bytes of the F32 that make a vector of F64. */
    private static final long HALF_VECTOR = 2L * Lanes.COUNT;

    private VectorSquares() {}

    /** Leaves a vector of sums at {@code lanes}, for {@link #fold}; by four vectors, each of which waits for its last. */
    static void squares(long x, long n, long lanes) {
        DoubleVector sum0 = DoubleVector.zero(Lanes.DOUBLES);
        DoubleVector sum1 = sum0;
        DoubleVector sum2 = sum0;
        DoubleVector sum3 = sum0;
        long bound = Lanes.pairBound(n);
        for (long i = 0; i < bound; i += 2L * Lanes.COUNT) {
            DoubleVector v0 = Lanes.loadAsF64(x + 4 * i);
            DoubleVector v1 = Lanes.loadAsF64(x + 4 * i + HALF_VECTOR);
            DoubleVector w0 = Lanes.loadAsF64(x + 4 * i + 2 * HALF_VECTOR);
            DoubleVector w1 = Lanes.loadAsF64(x + 4 * i + 3 * HALF_VECTOR);
            sum0 = v0.fma(v0, sum0);
            sum1 = v1.fma(v1, sum1);
            sum2 = w0.fma(w0, sum2);
            sum3 = w1.fma(w1, sum3);
        }
        sum0.add(sum1).add(sum2.add(sum3)).intoMemorySegment(Lanes.ALL, lanes, Lanes.ORDER);
    }

    /** The sum of the n squares of which {@link #squares} left the vector at {@code lanes}; reads of x what is no pair of whole vectors. */
    static double fold(long x, long n, long lanes) {
        double sum = 0;
        for (int i = 0; i < Lanes.COUNT / 2; i++) {
            sum += Lanes.getF64(lanes, i);
        }
        for (long i = Lanes.pairBound(n); i < n; i++) {
            double v = Lanes.getF32(x, i);
            sum = Math.fma(v, v, sum);
        }
        return sum;
    }
}
