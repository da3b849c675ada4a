package io.penstock.tensor.cuda;

import io.penstock.tensor.Tensor;
import io.penstock.tensor.cuda.Launcher.Typed;

/** Sums in double that stay on the device: of elements in their order, of squares by blocks. Kernels of sums.cu. */
final class Sums {
    /** Elements of whose squares a block makes one number. */
    private static final long SQUARES_OF_BLOCK = 1 << 15;
    /** Elements that the block which adds in order brings at once. */
    private static final int TILE = Launcher.THREADS * Launcher.EIGHT;
    /** A number of each warp. */
    private static final int SHARED_BYTES = Launcher.THREADS / 32 * Double.BYTES;

    private final Launcher launcher;
    private final Typed inOrder;
    private final Typed squares;
    private final Gpu.Function addSquares;

    Sums(Launcher launcher) {
        this.launcher = launcher;
        Gpu gpu = launcher.gpu();
        inOrder = Typed.of(gpu, "sums", "sum");
        squares = Typed.of(gpu, "sums", "squares");
        addSquares = gpu.function("sums", "add_squares");
    }

    /** Of one block: one thread adds, for the order is that of the other backends. */
    void inOrder(Tensor sum_1, Tensor x) {
        launcher.begin().put(sum_1).put(x).put(x.elements());
        launcher.launch(inOrder.of(x.dtype()), 1, 1, 1, Launcher.THREADS, TILE * Float.BYTES);
    }

    void ofSquares(Tensor sum_1, Tensor x) {
        // Blocks of one size, more of it only where their sums would not fit the scratch.
        long most = launcher.scratchBytes() / Double.BYTES;
        long perBlock = Launcher.divideUp(x.elements(), most * SQUARES_OF_BLOCK) * SQUARES_OF_BLOCK;
        long blocks = x.elements() == 0 ? 0 : Launcher.divideUp(x.elements(), perBlock);
        launcher.begin().put(launcher.scratch()).put(x).put(x.elements()).put(perBlock);
        launcher.launch(squares.of(x.dtype()), blocks, 1, 1, Launcher.THREADS, SHARED_BYTES);
        launcher.begin().put(sum_1).put(launcher.scratch()).put(blocks);
        launcher.launch(addSquares, 1, 1, 1, Launcher.THREADS, SHARED_BYTES);
    }
}
