package io.penstock.tensor.cpu;

/**
 * Sums over rows for vectors of some columns, by blocks: each block of rows sums alone into its own partial (f32, in shared workspace), then the partials are
 * added to the output in block order. The number of blocks follows from rows and columns alone.
 */
final class RowBlocks {
    private static final int MOST = 32;
    private static final int FEWEST_ROWS = 16;

    /** Columns that one tile of the final sum takes. */
    private static final long COLUMNS = 256;

    private final Workers workers;
    private final long partials;
    private final Tiles combineTiles = this::combineTile;

    private long rows;
    private long columns;
    private int blocks;
    private long output;
    private long firstPartial;
    private long partialStride;

    RowBlocks(Workers workers, Workspace workspace) {
        this.workers = workers;
        this.partials = workspace.shared();
    }

    /** {@code vectors} outputs of {@code columns} each are summed at once. */
    void plan(long rows, long columns, int vectors) {
        this.rows = rows;
        this.columns = columns;
        long fitting = Workspace.SHARED_BYTES / Math.max(1, 4 * columns * vectors);
        if (fitting == 0) {
            throw new IllegalStateException(columns + " columns need more than the " + Workspace.SHARED_BYTES
                    + " bytes that the cpu backend has for sums over rows");
        }
        long wanted = Math.min(MOST, Math.max(1, rows / FEWEST_ROWS));
        blocks = (int) Math.min(wanted, fitting);
        partialStride = 4 * columns * vectors;
    }

    int count() {
        return blocks;
    }

    long firstRow(int block) {
        return rows * block / blocks;
    }

    long endRow(int block) {
        return rows * (block + 1) / blocks;
    }

    /** The block's partials: vector after vector of {@code columns}. */
    long partial(int block) {
        return partials + block * partialStride;
    }

    /** output += the partials of vector {@code vector}, in block order. */
    void addTo(long output, int vector) {
        this.output = output;
        firstPartial = partials + 4 * columns * vector;
        workers.run(combineTiles, Math.toIntExact((columns + COLUMNS - 1) / COLUMNS));
    }

    private void combineTile(int tile, int thread) {
        long from = tile * COLUMNS;
        long count = Math.min(COLUMNS, columns - from);
        for (int block = 0; block < blocks; block++) {
            long partial = firstPartial + block * partialStride + 4 * from;
            Vectors.add(output + 4 * from, output + 4 * from, partial, count);
        }
    }
}
