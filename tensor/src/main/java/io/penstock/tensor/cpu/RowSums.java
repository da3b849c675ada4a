package io.penstock.tensor.cpu;

import io.penstock.tensor.DType;
import io.penstock.tensor.Tensor;

/** db_N += sum over rows of dy_RN, in slices of columns that {@link RowBlocks} has room for. */
final class RowSums implements Tiles {
    private static final long SLICE = Workspace.SHARED_BYTES / 4 / 32;

    private final Workers workers;
    private final RowBlocks blocks;

    private long dy;
    private long rowBytes;
    private long columns;
    private DType type = DType.F32;

    RowSums(Workers workers, RowBlocks blocks) {
        this.workers = workers;
        this.blocks = blocks;
    }

    void run(Tensor db_N, Tensor dy_RN) {
        long rows = dy_RN.shape().rows();
        long width = dy_RN.shape().last();
        type = Lanes.type(dy_RN);
        rowBytes = dy_RN.rowStride() * type.bytes();
        for (long from = 0; from < width; from += SLICE) {
            dy = dy_RN.address() + from * type.bytes();
            columns = Math.min(SLICE, width - from);
            blocks.plan(rows, columns, 1, false);
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
        if (type == DType.BF16) {
            for (; row <= end - 4; row += 4) {
                VectorBf16.addFour(partial, dy + row * rowBytes, rowBytes, columns);
            }
        }
        for (; row < end; row++) {
            Halves.addTo(type, partial, dy + row * rowBytes, columns);
        }
    }
}
