package io.penstock.tensor.cpu;

import io.penstock.tensor.DType;
import io.penstock.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** y_RC[r] = wte_VC[tokens[r]] + wpe_TC[r mod T], and its gradient. */
final class Embedding {
    /** Of a gradient: each takes a stretch of positions, and every so many-th token, whose rows are then one thread's, added in row order. */
    private static final int TILES = 16;

    private static final long ELEMENTS = 1 << 15;

    private final Workers workers;
    private final Workspace workspace;
    private final RepeatedTokens repeated;
    private final Tiles forwardTiles = this::forwardTile;
    private final Tiles backwardTiles = this::backwardTile;

    private long y;
    private long tokens;
    private long wte;
    private long wpe;
    private long rows;
    private long columns;
    private long rowsPerTile;
    private int sequence;
    private DType type = DType.F32;

    Embedding(Workers workers, Workspace workspace) {
        this.workers = workers;
        this.workspace = workspace;
        repeated = new RepeatedTokens(workspace);
    }

    void forward(Tensor y_RC, Tensor tokens_R, Tensor wte_VC, @Nullable Tensor wpe_TC, int sequence) {
        plan(y_RC, tokens_R, wte_VC, wpe_TC, sequence);
        rowsPerTile = Math.max(1, ELEMENTS / columns);
        workers.run(forwardTiles, Math.toIntExact((rows + rowsPerTile - 1) / rowsPerTile));
    }

    void backward(Tensor dwte_VC, @Nullable Tensor dwpe_TC, Tensor dy_RC, Tensor tokens_R, int sequence) {
        plan(dy_RC, tokens_R, dwte_VC, dwpe_TC, sequence);
        if (wpe == 0) {
            repeated.assumeAll();
        } else {
            repeated.find(tokens, rows, dwte_VC.shape().rows());
        }
        workers.run(backwardTiles, TILES);
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

    private void backwardTile(int tile, int thread) {
        if (wpe != 0) {
            long positions = Math.min(sequence, rows);
            addPositions(positions * tile / TILES, positions * (tile + 1) / TILES);
        }
        addRepeatedTokens(tile);
    }

    /** The gradients of some positions, and of the tokens that occur there and nowhere else: dy is then read once for both. */
    private void addPositions(long first, long end) {
        long rowBytes = columns * type.bytes();
        for (long position = first; position < end; position++) {
            long dPosition = wpe + 4 * columns * position;
            for (long row = position; row < rows; row += sequence) {
                int token = Lanes.getI32(tokens, row);
                if (repeated.contains(token)) {
                    Halves.addTo(type, dPosition, y + row * rowBytes, columns);
                } else {
                    Halves.addToBoth(type, dPosition, wte + 4 * columns * token, y + row * rowBytes, columns);
                }
            }
        }
    }

    private void addRepeatedTokens(int tile) {
        long rowBytes = columns * type.bytes();
        for (long row = 0; row < rows; row++) {
            int token = Lanes.getI32(tokens, row);
            if (token % TILES == tile && repeated.contains(token)) {
                Halves.addTo(type, wte + 4 * columns * token, y + row * rowBytes, columns);
            }
        }
    }
}
