package io.penstock.tensor.cuda;

import io.penstock.tensor.Tensor;

/** Sums over rows in two steps, the same order whatever the device: slices of rows by blocks, then the slices in order. */
final class Slices {
    private static final long ROWS_PER_SLICE = 256;
    /** Of a block: columns across a warp, rows over its eight warps. */
    private static final int COLUMNS = 32;

    private final Launcher launcher;
    private final Gpu.Function addSlices;

    Slices(Launcher launcher) {
        this.launcher = launcher;
        addSlices = launcher.gpu().function("moves", "add_slices");
    }

    /** So many that a slice of {@code width} floats each fits the scratch. */
    long rowsPerSlice(long rows, long width) {
        long most = launcher.scratchBytes() / (width * Float.BYTES);
        if (most == 0) {
            launcher.scratch("a sum over rows", width * Float.BYTES);
        }
        return Math.max(ROWS_PER_SLICE, Launcher.divideUp(rows, most));
    }

    /** The kernel of the first step, whose arguments are put; {@code sums} floats a thread in shared memory. */
    void launch(Gpu.Function kernel, long rows, long columns, long perSlice, int sums) {
        int slices = Math.toIntExact(Launcher.divideUp(rows, perSlice));
        int shared = sums * Launcher.THREADS * Float.BYTES;
        launcher.launch(kernel, Launcher.divideUp(columns, COLUMNS), slices, 1, Launcher.THREADS, shared);
    }

    /** y += the slices at {@code partials}, {@code stride} floats apart. */
    void add(Tensor y, long partials, long columns, long rows, long perSlice, long stride) {
        launcher.begin()
                .put(y)
                .put(partials)
                .put(columns)
                .put(Launcher.divideUp(rows, perSlice))
                .put(stride)
                .launchOver(addSlices, columns);
    }
}
