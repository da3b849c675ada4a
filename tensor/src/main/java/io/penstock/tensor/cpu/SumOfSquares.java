package io.penstock.tensor.cpu;

import io.penstock.tensor.Tensor;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/** Sum of squares in double: pieces of a size that follows from the tensor's, added in order. */
final class SumOfSquares implements Tiles {
    private static final VectorSpecies<Double> DOUBLES = Lanes.FLOATS.withLanes(double.class);
    private static final long MOST_PIECES = 4096;
    private static final long SMALLEST_PIECE = 1 << 15;

    private final Workers workers;
    private final Workspace workspace;

    private long x;
    private long elements;
    private long piece;
    private boolean half;

    SumOfSquares(Workers workers, Workspace workspace) {
        this.workers = workers;
        this.workspace = workspace;
    }

    double run(Tensor x) {
        this.x = x.address();
        elements = x.elements();
        half = Lanes.half(x);
        piece = Math.max(SMALLEST_PIECE, Lanes.bound((elements + MOST_PIECES - 1) / MOST_PIECES + Lanes.COUNT));
        int pieces = Math.toIntExact((elements + piece - 1) / piece);
        workers.run(this, pieces);
        double sum = 0;
        for (int i = 0; i < pieces; i++) {
            sum += Lanes.getF64(workspace.shared(), i);
        }
        return sum;
    }

    @Override
    public void run(int tile, int thread) {
        long from = tile * piece;
        long n = Math.min(piece, elements - from);
        double sum = squares(x + from * Lanes.bytes(half), n, half, workspace.lanes(thread));
        Lanes.putF64(workspace.shared(), tile, sum);
    }

    private static double squares(long x, long n, boolean half, long lanes) {
        DoubleVector low = DoubleVector.zero(DOUBLES);
        DoubleVector high = DoubleVector.zero(DOUBLES);
        long bound = Lanes.bound(n);
        for (long i = 0; i < bound; i += Lanes.COUNT) {
            FloatVector v = Lanes.load(half, x, i);
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
            double v = Lanes.get(half, x, i);
            sum = Math.fma(v, v, sum);
        }
        return sum;
    }
}
