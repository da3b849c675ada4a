package io.penstock.tensor.cpu;

/** A matrix product of one {@link MatmulShape}. Several threads may run it at once, each under its own number. */
abstract class MatmulKernel {
    final MatmulShape shape;
    final int flags;

    MatmulKernel(MatmulShape shape) {
        this.shape = shape;
        this.flags = shape.flags();
    }

    /** Absolute addresses; {@code bias} is ignored where the shape has none. */
    abstract void run(int thread, long a, long b, long c, long bias);

    void close() {}
}
