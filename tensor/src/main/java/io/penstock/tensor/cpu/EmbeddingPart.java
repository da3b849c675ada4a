package io.penstock.tensor.cpu;

import io.penstock.tensor.DType;
import io.penstock.tensor.Tensor;
import java.lang.foreign.MemorySegment;

/** {@link Embedding} by the rows {@code first} and on of a token table: y_RC[r] = wte_VC[tokens[r] - first], zeros for a token whose row is in another part. */
final class EmbeddingPart {
    private static final long COLUMNS = 128;
    private static final long ELEMENTS = 1 << 15;

    private final Workers workers;
    private final Workspace workspace;
    private final Tiles forwardTiles = this::forwardTile;
    private final Tiles backwardTiles = this::backwardTile;

    private long y;
    private long tokens;
    private long wte;
    private long rows;
    private long columns;
    private long rowsPerTile;
    private long count;
    private int first;
    private DType type = DType.F32;

    EmbeddingPart(Workers workers, Workspace workspace) {
        this.workers = workers;
        this.workspace = workspace;
    }

    void forward(Tensor y_RC, Tensor tokens_R, Tensor wte_VC, int first) {
        plan(y_RC, tokens_R, wte_VC, first);
        rowsPerTile = Math.max(1, ELEMENTS / columns);
        workers.run(forwardTiles, Math.toIntExact((rows + rowsPerTile - 1) / rowsPerTile));
    }

    void backward(Tensor dwte_VC, Tensor dy_RC, Tensor tokens_R, int first) {
        plan(dy_RC, tokens_R, dwte_VC, first);
        workers.run(backwardTiles, Math.toIntExact((columns + COLUMNS - 1) / COLUMNS));
    }

    private void plan(Tensor y_RC, Tensor tokens_R, Tensor table_VC, int first) {
        y = y_RC.address();
        tokens = tokens_R.address();
        wte = table_VC.address();
        count = table_VC.shape().rows();
        rows = y_RC.shape().rows();
        columns = y_RC.shape().last();
        type = Lanes.type(y_RC);
        this.first = first;
    }

    private boolean isHere(long token) {
        return token >= 0 && token < count;
    }

    private void forwardTile(int tile, int thread) {
        long rowBytes = columns * type.bytes();
        long end = Math.min(rows, (tile + 1) * rowsPerTile);
        for (long row = tile * rowsPerTile; row < end; row++) {
            long token = (long) Lanes.getI32(tokens, row) - first;
            long to = y + row * rowBytes;
            if (isHere(token)) {
                MemorySegment.copy(Lanes.ALL, wte + token * rowBytes, Lanes.ALL, to, rowBytes);
            } else {
                zero(to, rowBytes);
            }
        }
    }

    private static void zero(long to, long bytes) {
        Vectors.zero(to, bytes / 4);
        for (long i = bytes / 4 * 4; i < bytes; i++) {
            Lanes.putByte(to + i, (byte) 0);
        }
    }

    /** Each tile takes its columns of all rows, in row order. */
    private void backwardTile(int tile, int thread) {
        long scratch = workspace.area(thread);
        long from = tile * COLUMNS;
        long n = Math.min(COLUMNS, columns - from);
        for (long row = 0; row < rows; row++) {
            long token = (long) Lanes.getI32(tokens, row) - first;
            if (isHere(token)) {
                long dy = Halves.read(type, y + (row * columns + from) * type.bytes(), scratch, n);
                long dToken = wte + 4 * (token * columns + from);
                Vectors.add(dToken, dToken, dy, n);
            }
        }
    }
}
