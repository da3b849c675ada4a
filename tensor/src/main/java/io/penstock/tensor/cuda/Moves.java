package io.penstock.tensor.cuda;

import io.penstock.tensor.DType;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.cuda.Launcher.Typed;

/** Zeroing, casts, sums of two tensors: kernels of moves.cu. */
final class Moves {
    private final Launcher launcher;
    private final Typed copyToF32;
    private final Typed copyToBf16;
    private final Typed addToF32;
    private final Typed addToBf16;

    Moves(Launcher launcher) {
        this.launcher = launcher;
        Gpu gpu = launcher.gpu();
        copyToF32 = Typed.of(gpu, "moves", "copy_f32");
        copyToBf16 = Typed.of(gpu, "moves", "copy_bf16");
        addToF32 = Typed.of(gpu, "moves", "add_f32");
        addToBf16 = Typed.of(gpu, "moves", "add_bf16");
    }

    void zero(Tensor x) {
        if (x.bytes() > 0) {
            launcher.gpu().zero(x.address(), x.bytes());
        }
    }

    void copy(Tensor y, Tensor x) {
        // Contiguous tensors are one long row.
        boolean flat = y.isContiguous() && x.isContiguous();
        long rows = flat ? 1 : x.shape().rows();
        long columns = flat ? x.elements() : x.shape().last();
        Gpu.Function kernel = from(y.dtype() == DType.BF16 ? copyToBf16 : copyToF32, y, x);
        launcher.begin()
                .put(y)
                .put(x)
                .put(rows)
                .put(columns)
                .put(flat ? columns : y.rowStride())
                .put(flat ? columns : x.rowStride())
                .launchOverRows(kernel, rows, columns);
    }

    void add(Tensor y, Tensor x) {
        Gpu.Function kernel = from(y.dtype() == DType.BF16 ? addToBf16 : addToF32, y, x);
        launcher.begin().put(y).put(x).put(x.elements()).launchOverEights(kernel, x.elements());
    }

    private static Gpu.Function from(Typed kernels, Tensor y, Tensor x) {
        if (y.dtype() == DType.F64) {
            throw new IllegalStateException("y is " + y.dtype() + "; the cuda backend computes F32 and BF16");
        }
        return kernels.of(x.dtype());
    }
}
