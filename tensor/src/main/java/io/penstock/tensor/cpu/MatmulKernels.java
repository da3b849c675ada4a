package io.penstock.tensor.cpu;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** The kernels made so far, found by their sizes without allocating. Only the backend's caller asks; kernels then run on any worker. */
final class MatmulKernels implements AutoCloseable {
    /** Makes the kernel of a shape: oneDNN's or our own. */
    interface Factory extends AutoCloseable {
        MatmulKernel create(MatmulShape shape);

        String description();

        @Override
        void close();
    }

    /** Beyond it all are dropped at the next operation: a run has some hundred shapes, and a server of odd lengths must not grow for ever. */
    private static final int LIMIT = 4096;

    private static final int SLOTS = 4 * LIMIT;

    private final Factory factory;
    private final @Nullable MatmulKernel[] slots = new @Nullable MatmulKernel[SLOTS];
    private int count;

    MatmulKernels(Factory factory) {
        this.factory = factory;
    }

    String description() {
        return factory.description();
    }

    /** Called once before the kernels of an operation are looked up. */
    void beginOperation() {
        if (count > LIMIT) {
            clear();
        }
    }

    /** {@code flags} are {@link MatmulShape#flags}. */
    MatmulKernel find(int m, int n, int k, long lda, long ldb, long ldc, int flags) {
        long hash = m * 0x9E3779B97F4A7C15L;
        hash = (hash ^ n) * 0xC2B2AE3D27D4EB4FL;
        hash = (hash ^ k) * 0x9E3779B97F4A7C15L;
        hash = (hash ^ lda) * 0xC2B2AE3D27D4EB4FL;
        hash = (hash ^ ldb) * 0x9E3779B97F4A7C15L;
        hash = (hash ^ ldc) * 0xC2B2AE3D27D4EB4FL;
        hash = (hash ^ flags) * 0x9E3779B97F4A7C15L;
        int slot = (int) (hash >>> 40) & (SLOTS - 1);
        while (true) {
            MatmulKernel kernel = slots[slot];
            if (kernel == null) {
                kernel = factory.create(MatmulShape.of(m, n, k, lda, ldb, ldc, flags));
                slots[slot] = kernel;
                count++;
                return kernel;
            }
            MatmulShape shape = kernel.shape;
            if (shape.m() == m
                    && shape.n() == n
                    && shape.k() == k
                    && shape.lda() == lda
                    && shape.ldb() == ldb
                    && shape.ldc() == ldc
                    && kernel.flags == flags) {
                return kernel;
            }
            slot = (slot + 1) & (SLOTS - 1);
        }
    }

    private void clear() {
        for (MatmulKernel kernel : slots) {
            if (kernel != null) {
                kernel.close();
            }
        }
        Arrays.fill(slots, null);
        count = 0;
    }

    @Override
    public void close() {
        clear();
        factory.close();
    }
}
