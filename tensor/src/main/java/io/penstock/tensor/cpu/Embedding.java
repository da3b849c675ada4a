package io.penstock.tensor.cpu;

import io.penstock.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** y_RC[r] = wte_VC[tokens[r]] + wpe_TC[r mod T], and its gradient, which each tile of columns takes in row order. */
final class Embedding {
    private static final long COLUMNS = 128;
    private static final long ELEMENTS = 1 << 15;

    private final Workers workers;
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
    private boolean half;

    Embedding(Workers workers) {
        this.workers = workers;
    }

    void forward(Tensor y_RC, Tensor tokens_R, Tensor wte_VC, @Nullable Tensor wpe_TC, int sequence) {
        plan(y_RC, tokens_R, wte_VC, wpe_TC, sequence);
        rowsPerTile = Math.max(1, ELEMENTS / columns);
        workers.run(forwardTiles, Math.toIntExact((rows + rowsPerTile - 1) / rowsPerTile));
    }

    void backward(Tensor dwte_VC, @Nullable Tensor dwpe_TC, Tensor dy_RC, Tensor tokens_R, int sequence) {
        plan(dy_RC, tokens_R, dwte_VC, dwpe_TC, sequence);
        workers.run(backwardTiles, Math.toIntExact((columns + COLUMNS - 1) / COLUMNS));
    }

    private void plan(Tensor y_RC, Tensor tokens_R, Tensor table_VC, @Nullable Tensor positions_TC, int sequence) {
        y = y_RC.address();
        tokens = tokens_R.address();
        wte = table_VC.address();
        wpe = positions_TC == null ? 0 : positions_TC.address();
        rows = y_RC.shape().rows();
        columns = y_RC.shape().last();
        half = Lanes.half(y_RC);
        this.sequence = sequence;
    }

    private void forwardTile(int tile, int thread) {
        long rowBytes = columns * Lanes.bytes(half);
        long end = Math.min(rows, (tile + 1) * rowsPerTile);
        for (long row = tile * rowsPerTile; row < end; row++) {
            long token = wte + Lanes.getI32(tokens, row) * rowBytes;
            long position = wpe == 0 ? 0 : wpe + row % sequence * rowBytes;
            embed(y + row * rowBytes, token, position, columns, half);
        }
    }

    private static void embed(long y, long token, long position, long n, boolean half) {
        if (position == 0) {
            MemorySegment.copy(Lanes.ALL, token, Lanes.ALL, y, n * Lanes.bytes(half));
            return;
        }
        long bound = Lanes.bound(n);
        for (long i = 0; i < bound; i += Lanes.COUNT) {
            Lanes.store(half, y, i, Lanes.load(half, token, i).add(Lanes.load(half, position, i)));
        }
        for (long i = bound; i < n; i++) {
            Lanes.put(half, y, i, Lanes.get(half, token, i) + Lanes.get(half, position, i));
        }
    }

    private void backwardTile(int tile, int thread) {
        long from = tile * COLUMNS;
        long count = Math.min(COLUMNS, columns - from);
        for (long row = 0; row < rows; row++) {
            long dy = y + (row * columns + from) * Lanes.bytes(half);
            accumulate(wte + 4 * (Lanes.getI32(tokens, row) * columns + from), dy, count, half);
            if (wpe != 0) {
                accumulate(wpe + 4 * (row % sequence * columns + from), dy, count, half);
            }
        }
    }

    private static void accumulate(long sum, long x, long n, boolean half) {
        long bound = Lanes.bound(n);
        for (long i = 0; i < bound; i += Lanes.COUNT) {
            Lanes.storeF32(sum + 4 * i, Lanes.loadF32(sum + 4 * i).add(Lanes.load(half, x, i)));
        }
        for (long i = bound; i < n; i++) {
            Lanes.putF32(sum, i, Lanes.getF32(sum, i) + Lanes.get(half, x, i));
        }
    }
}
