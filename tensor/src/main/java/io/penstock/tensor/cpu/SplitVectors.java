package io.penstock.tensor.cpu;

import io.penstock.tensor.DType;

/** The gain and bias of the norms, C elements of F32, as the loops over rows of a type read them. */
final class SplitVectors {
    private SplitVectors() {}

    /** {@code x} itself, for BF16 its copy in the order of {@link VectorNormBf16#split}: number {@code slot} in the first thread's area, which those loops leave alone. */
    static long of(DType type, long x, int slot, long columns, Workspace workspace) {
        if (type != DType.BF16) {
            return x;
        }
        long copy = workspace.area(0) + 4L * slot * columns;
        VectorNormBf16.split(copy, x, columns);
        return copy;
    }
}
