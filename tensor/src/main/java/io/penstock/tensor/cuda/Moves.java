package io.penstock.tensor.cuda;

import io.penstock.tensor.DType;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.cuda.Launcher.Typed;
import java.util.EnumMap;
import java.util.Map;

/** Zeroing, casts, sums of tensors: kernels of moves.cu. */
final class Moves {
    /** Addresses that add_all takes. */
    private final Launcher launcher;
    /** By the type that is written. */
    private final Map<DType, Typed> copies;

    private final Map<DType, Typed> sums;
    private final Typed sumsOfAll;

    Moves(Launcher launcher) {
        this.launcher = launcher;
        Gpu gpu = launcher.gpu();
        copies = byTarget(gpu, "copy");
        sums = byTarget(gpu, "add");
        sumsOfAll = Typed.of(gpu, "moves", "add_all");
    }

    private static Map<DType, Typed> byTarget(Gpu gpu, String name) {
        return new EnumMap<>(Map.of(
                DType.F32, Typed.of(gpu, "moves", name + "_f32"),
                DType.BF16, Typed.of(gpu, "moves", name + "_bf16"),
                DType.F16, Typed.of(gpu, "moves", name + "_f16")));
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
        Gpu.Function kernel = from(copies, y, x);
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
        Gpu.Function kernel = from(sums, y, x);
        launcher.begin().put(y).put(x).put(x.elements()).launchOverEights(kernel, x.elements());
    }

    /** One pass, whatever the number of terms: the sum of eight elements is in registers until it is rounded. */
    void addAll(Tensor y, Tensor[] terms) {
        if (terms.length > CudaBackend.MOST_TERMS) {
            throw new IllegalStateException(
                    "a sum of " + terms.length + " tensors, expected at most " + CudaBackend.MOST_TERMS);
        }
        launcher.begin().put(y).put(y.elements()).put((long) terms.length);
        for (int i = 0; i < CudaBackend.MOST_TERMS; i++) {
            launcher.put(i < terms.length ? terms[i].address() : 0L);
        }
        launcher.launchOverEights(sumsOfAll.of(y.dtype()), y.elements());
    }

    private static Gpu.Function from(Map<DType, Typed> kernels, Tensor y, Tensor x) {
        Typed typed = kernels.get(y.dtype());
        if (typed == null) {
            throw Launcher.refusal(y.dtype());
        }
        return typed.of(x.dtype());
    }
}
