package io.penstock.tensor.cpu;

import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/** The loop of {@link SumOfSquares}. */
final class VectorSquares {
    private static final VectorSpecies<Double> DOUBLES = Lanes.FLOATS.withLanes(double.class);

    private VectorSquares() {}

    static double squares(long x, long n, long lanes) {
        DoubleVector low = DoubleVector.zero(DOUBLES);
        DoubleVector high = DoubleVector.zero(DOUBLES);
        long bound = Lanes.bound(n);
        for (long i = 0; i < bound; i += Lanes.COUNT) {
            FloatVector v = Lanes.loadF32(x + 4 * i);
            DoubleVector first = (DoubleVector) v.convertShape(VectorOperators.F2D, DOUBLES, 0);
            DoubleVector second = (DoubleVector) v.convertShape(VectorOperators.F2D, DOUBLES, 1);
            low = first.fma(first, low);
            high = second.fma(second, high);
        }
        low.add(high).intoMemorySegment(Lanes.ALL, lanes, Lanes.ORDER);
        double sum = 0;
        for (int i = 0; i < DOUBLES.length(); i++) {
            sum += Lanes.getF64(lanes, i);
        }
        for (long i = bound; i < n; i++) {
            double v = Lanes.getF32(x, i);
            sum = Math.fma(v, v, sum);
        }
        return sum;
    }
}
