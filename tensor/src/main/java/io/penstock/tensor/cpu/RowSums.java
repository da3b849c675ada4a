package io.penstock.tensor.cpu;

import io.penstock.tensor.Tensor;

/** db_N += sum over rows of dy_RN, in slices of columns that {@link RowBlocks} has room for. */
final class RowSums implements Tiles {
    private static final long SLICE = Workspace.SHARED_BYTES / 4 / 32;

    private final Workers workers;
    private final RowBlocks blocks;

    private long dy;
    private long rowBytes;
    private long columns;
    private boolean half;

    RowSums(Workers workers, RowBlocks blocks) {
        this.workers = workers;
        this.blocks = blocks;
    }

    void run(Tensor db_N, Tensor dy_RN) {
        long rows = dy_RN.shape().rows();
        long width = dy_RN.shape().last();
        half = Lanes.half(dy_RN);
        rowBytes = dy_RN.rowStride() * Lanes.bytes(half);
        for (long from = 0; from < width; from += SLICE) {
            dy = dy_RN.address() + from * Lanes.bytes(half);
            columns = Math.min(SLICE, width - from);
            blocks.plan(rows, columns, 1);
            workers.run(this, blocks.count());
            blocks.addTo(db_N.address() + 4 * from, 0);
        }
    }

    @Override
    public void run(int block, int thread) {
        long partial = blocks.partial(block);
        Lanes.zeroF32(partial, columns);
        for (long row = blocks.firstRow(block); row < blocks.endRow(block); row++) {
            addRow(partial, dy + row * rowBytes, columns, half);
        }
    }

    private static void addRow(long sum, long x, long n, boolean half) {
        long bound = Lanes.bound(n);
        for (long i = 0; i < bound; i += Lanes.COUNT) {
            Lanes.storeF32(sum + 4 * i, Lanes.loadF32(sum + 4 * i).add(Lanes.load(half, x, i)));
        }
        for (long i = bound; i < n; i++) {
            Lanes.putF32(sum, i, Lanes.getF32(sum, i) + Lanes.get(half, x, i));
        }
    }
}
