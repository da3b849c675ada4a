package io.penstock.tensor.cpu;

import io.penstock.tensor.DType;
import io.penstock.tensor.Tensor;

/** Sum of squares in double: pieces of a size that follows from the tensor's, added in order. */
final class SumOfSquares implements Tiles {
    private static final long MOST_PIECES = 4096;
    private static final long SMALLEST_PIECE = 1 << 15;

    /** Blocks of {@link Workspace#PIECE} elements whose vectors are folded together. */
    private static final long GROUP = 8;

    private static final long LANES_BYTES = 64;

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
        long end = Math.min(from + piece, elements);
        double sum = 0;
        for (long i = from; i < end; i += GROUP * Workspace.PIECE) {
            sum = addGroup(sum, i, Math.min(i + GROUP * Workspace.PIECE, end), thread);
        }
        Lanes.putF64(workspace.shared(), tile, sum);
    }

    /** Adds block after block. Their vectors are folded when all are there: a fold a block would keep the next one's reads waiting. */
    private double addGroup(double start, long from, long end, int thread) {
        long scratch = workspace.area(thread);
        long lanes = workspace.lanes(thread);
        long values = 0;
        // the same blocks in all types
        for (long i = from; i < end; i += Workspace.PIECE) {
            long count = Math.min(Workspace.PIECE, end - i);
            values = Halves.read(type, x + i * type.bytes(), scratch, count);
            VectorSquares.squares(values, count, lanes + (i - from) / Workspace.PIECE * LANES_BYTES);
        }
        double sum = start;
        for (long i = from; i < end; i += Workspace.PIECE) {
            // only the last can have elements beside its vector, and its values are still there
            long count = Math.min(Workspace.PIECE, end - i);
            sum += VectorSquares.fold(values, count, lanes + (i - from) / Workspace.PIECE * LANES_BYTES);
        }
        return sum;
    }
}
