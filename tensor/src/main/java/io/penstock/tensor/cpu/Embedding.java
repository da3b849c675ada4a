package io.penstock.tensor.cpu;

import io.penstock.tensor.DType;
import io.penstock.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** y_RC[r] = wte_VC[tokens[r]] + wpe_TC[r mod T], and its gradient. */
final class Embedding {
    /** Columns of a tile of the gradient are a multiple of this. */
    private static final long COLUMNS = 64;

    private static final long ELEMENTS = 1 << 15;

    private final Workers workers;
    private final Workspace workspace;
    private final Tiles forwardTiles = this::forwardTile;
    private final Tiles backwardTiles = this::backwardTile;

    private long y;
    private long tokens;
    private long wte;
    private long wpe;
    private long rows;
    private long columns;
    private long rowsPerTile;
    private long columnsPerTile;
    private int sequence;
    private DType type = DType.F32;

    Embedding(Workers workers, Workspace workspace) {
        this.workers = workers;
        this.workspace = workspace;
    }

    void forward(Tensor y_RC, Tensor tokens_R, Tensor wte_VC, @Nullable Tensor wpe_TC, int sequence) {
        plan(y_RC, tokens_R, wte_VC, wpe_TC, sequence);
        rowsPerTile = Math.max(1, ELEMENTS / columns);
        workers.run(forwardTiles, Math.toIntExact((rows + rowsPerTile - 1) / rowsPerTile));
    }

    void backward(Tensor dwte_VC, @Nullable Tensor dwpe_TC, Tensor dy_RC, Tensor tokens_R, int sequence) {
        plan(dy_RC, tokens_R, dwte_VC, dwpe_TC, sequence);
        long pieces = (columns + COLUMNS - 1) / COLUMNS;
        columnsPerTile = Math.max(1, (pieces + workers.threads() - 1) / workers.threads()) * COLUMNS;
        workers.run(backwardTiles, Math.toIntExact((columns + columnsPerTile - 1) / columnsPerTile));
    }

    private void plan(Tensor y_RC, Tensor tokens_R, Tensor table_VC, @Nullable Tensor positions_TC, int sequence) {
        y = y_RC.address();
        tokens = tokens_R.address();
        wte = table_VC.address();
        wpe = positions_TC == null ? 0 : positions_TC.address();
        rows = y_RC.shape().rows();
        columns = y_RC.shape().last();
        type = Lanes.type(y_RC);
        this.sequence = sequence;
    }

    private void forwardTile(int tile, int thread) {
        int bytes = type.bytes();
        long end = Math.min(rows, (tile + 1) * rowsPerTile);
        for (long row = tile * rowsPerTile; row < end; row++) {
            long to = y + row * columns * bytes;
            long token = wte + Lanes.getI32(tokens, row) * columns * bytes;
            if (wpe == 0) {
                MemorySegment.copy(Lanes.ALL, token, Lanes.ALL, to, columns * bytes);
            } else {
                long position = wpe + row % sequence * columns * bytes;
                Halves.sum(type, to, token, position, columns, workspace.area(thread));
            }
        }
    }

    /** Some columns of all rows: a column's sums are one thread's, added in row order, and dy is read once for both tables. */
    private void backwardTile(int tile, int thread) {
        long from = tile * columnsPerTile;
        long count = Math.min(columnsPerTile, columns - from);
        for (long row = 0; row < rows; row++) {
            long dy = y + (row * columns + from) * type.bytes();
            Halves.addTo(type, wte + 4 * (Lanes.getI32(tokens, row) * columns + from), dy, count);
            if (wpe != 0) {
                Halves.addTo(type, wpe + 4 * (row % sequence * columns + from), dy, count);
            }
        }
    }
}
