package io.penstock.tensor.cpu;

import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/** The loop of {@link SumOfSquares}. */
final class VectorSquares {
    private static final VectorSpecies<Double> DOUBLES = Lanes.FLOATS.withLanes(double.class);

    private VectorSquares() {}

    /** By four vectors, each of which waits for its last. */
    static double squares(long x, long n, long lanes) {
        DoubleVector sum0 = DoubleVector.zero(DOUBLES);
        DoubleVector sum1 = sum0;
        DoubleVector sum2 = sum0;
        DoubleVector sum3 = sum0;
        long bound = Lanes.pairBound(n);
        for (long i = 0; i < bound; i += 2L * Lanes.COUNT) {
            FloatVector v = Lanes.loadF32(x + 4 * i);
            FloatVector w = Lanes.loadF32(x + 4 * (i + Lanes.COUNT));
            DoubleVector v0 = (DoubleVector) v.convertShape(VectorOperators.F2D, DOUBLES, 0);
            DoubleVector v1 = (DoubleVector) v.convertShape(VectorOperators.F2D, DOUBLES, 1);
            DoubleVector w0 = (DoubleVector) w.convertShape(VectorOperators.F2D, DOUBLES, 0);
            DoubleVector w1 = (DoubleVector) w.convertShape(VectorOperators.F2D, DOUBLES, 1);
            sum0 = v0.fma(v0, sum0);
            sum1 = v1.fma(v1, sum1);
            sum2 = w0.fma(w0, sum2);
            sum3 = w1.fma(w1, sum3);
        }
        sum0.add(sum1).add(sum2.add(sum3)).intoMemorySegment(Lanes.ALL, lanes, Lanes.ORDER);
        return rest(x, bound, n, lanes);
    }

    private static double rest(long x, long from, long n, long lanes) {
        double sum = 0;
        for (int i = 0; i < DOUBLES.length(); i++) {
            sum += Lanes.getF64(lanes, i);
        }
        for (long i = from; i < n; i++) {
            double v = Lanes.getF32(x, i);
            sum = Math.fma(v, v, sum);
        }
        return sum;
    }
}
