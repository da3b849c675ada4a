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
        Vectors.zero(partial, columns);
        long row = blocks.firstRow(block);
        long end = blocks.endRow(block);
        if (half) {
            for (; row <= end - 4; row += 4) {
                VectorBf16.addFour(partial, dy + row * rowBytes, rowBytes, columns);
            }
        }
        for (; row < end; row++) {
            if (half) {
                VectorBf16.addTo(partial, dy + row * rowBytes, columns);
            } else {
                Vectors.add(partial, partial, dy + row * rowBytes, columns);
            }
        }
    }
}
