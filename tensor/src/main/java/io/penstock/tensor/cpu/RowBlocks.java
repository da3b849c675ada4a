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
    private final Workspace workspace;
    private final Tiles combineTiles = this::combineTile;

    private long rows;
    private long columns;
    private int blocks;
    private int vectors;
    private boolean split;
    private long firstOutput;
    private long secondOutput;

    RowBlocks(Workers workers, Workspace workspace) {
        this.workers = workers;
        this.workspace = workspace;
    }

    /** {@code vectors} outputs of {@code columns} each are summed at once, 1 or 2; the partials are in the order of {@link VectorNormBf16#split} if {@code split}. */
    void plan(long rows, long columns, int vectors, boolean split) {
        this.rows = rows;
        this.columns = columns;
        this.vectors = vectors;
        this.split = split;
        long fitting = Workspace.SHARED_BYTES / Math.max(1, 4 * columns * vectors);
        if (fitting == 0) {
            throw new IllegalStateException(columns + " columns need more than the " + Workspace.SHARED_BYTES
                    + " bytes that the cpu backend has for sums over rows");
        }
        long wanted = Math.min(MOST, Math.max(1, rows / FEWEST_ROWS));
        blocks = (int) Math.min(wanted, fitting);
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
        return workspace.shared() + 4 * columns * vectors * block;
    }

    /** first += the partials of the first vector, in block order; second those of the second, if that many were planned. */
    void addTo(long first, long second) {
        firstOutput = first;
        secondOutput = second;
        workers.run(combineTiles, Math.toIntExact(vectors * tilesOfVector()));
    }

    private long tilesOfVector() {
        return (columns + COLUMNS - 1) / COLUMNS;
    }

    private void combineTile(int tile, int thread) {
        boolean ofFirst = tile < tilesOfVector();
        long from = (ofFirst ? tile : tile - tilesOfVector()) * COLUMNS;
        long count = Math.min(COLUMNS, columns - from);
        long output = (ofFirst ? firstOutput : secondOutput) + 4 * from;
        long sums = split ? workspace.area(thread) : output;
        if (split) {
            VectorNormBf16.split(sums, output, count);
        }
        for (int block = 0; block < blocks; block++) {
            Vectors.add(sums, sums, partial(block) + 4 * (from + (ofFirst ? 0 : columns)), count);
        }
        if (split) {
            VectorNormBf16.unsplit(output, sums, count);
        }
    }
}
