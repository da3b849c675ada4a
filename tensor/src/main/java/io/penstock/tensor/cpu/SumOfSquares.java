package io.penstock.tensor.cpu;

import io.penstock.tensor.DType;
import io.penstock.tensor.Tensor;

/** Sum of squares in double: pieces of a size that follows from the tensor's, added in order. */
final class SumOfSquares implements Tiles {
    private static final long MOST_PIECES = 4096;
    private static final long SMALLEST_PIECE = 1 << 15;

    private final Workers workers;
    private final Workspace workspace;

    private long x;
    private long elements;
    private long piece;
    private DType type = DType.F32;

    SumOfSquares(Workers workers, Workspace workspace) {
        this.workers = workers;
        this.workspace = workspace;
    }

    double run(Tensor x) {
        this.x = x.address();
        elements = x.elements();
        type = Lanes.type(x);
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
        long scratch = workspace.area(thread);
        double sum = 0;
        // the same pieces in all types
        for (long i = from; i < from + n; i += Workspace.PIECE) {
            long count = Math.min(Workspace.PIECE, from + n - i);
            long values = Halves.read(type, x + i * type.bytes(), scratch, count);
            sum += VectorSquares.squares(values, count, workspace.lanes(thread));
        }
        Lanes.putF64(workspace.shared(), tile, sum);
    }
}
