package io.penstock.tensor.cuda;

import io.penstock.tensor.AttentionShape;
import io.penstock.tensor.DType;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.cuda.Launcher.Typed;
import org.jspecify.annotations.Nullable;

/** Attention: on tensor cores (attention_mma.cu) where type, head size and alignment allow, else in multiply-adds (attention.cu). */
final class Attentions {
    private static final int[] MMA_HEAD_SIZES = {32, 64, 128};
    private static final int[] HEAD_SIZES = {64, 128, 256};
    private static final int BLOCK_THREADS = 128;
    /** Queries or keys that a block of the tensor-core kernels owns. */
    private static final int MMA_ROWS = 64;

    private static final int PAIRS_OF_BLOCK = 8;

    /** The three kernels of one head size: output, gradient of the queries, gradient of keys and values. */
    private record Kernels(Gpu.Function forward, Gpu.Function queryGradient, Gpu.Function keyGradient) {
        static Kernels of(Gpu gpu, String module, String suffix) {
            return new Kernels(
                    gpu.function(module, "attention" + suffix),
                    gpu.function(module, "query_gradient" + suffix),
                    gpu.function(module, "key_gradient" + suffix));
        }
    }

    private final Launcher launcher;
    private final Kernels[] mmaBf16;
    private final Kernels[] mmaF16;
    private final Kernels[] f32;
    private final Kernels[] bf16;
    private final Kernels[] f16;
    private final Typed delta;

    Attentions(Launcher launcher) {
        this.launcher = launcher;
        Gpu gpu = launcher.gpu();
        mmaBf16 = bySize(gpu, "attention_mma", "_mma_bf16_", MMA_HEAD_SIZES);
        mmaF16 = bySize(gpu, "attention_mma", "_mma_f16_", MMA_HEAD_SIZES);
        f32 = bySize(gpu, "attention", "_f32_", HEAD_SIZES);
        bf16 = bySize(gpu, "attention", "_bf16_", HEAD_SIZES);
        f16 = bySize(gpu, "attention", "_f16_", HEAD_SIZES);
        delta = Typed.of(gpu, "attention", "attention_delta");
    }

    private static Kernels[] bySize(Gpu gpu, String module, String suffix, int[] headSizes) {
        Kernels[] kernels = new Kernels[headSizes.length];
        for (int i = 0; i < kernels.length; i++) {
            kernels[i] = Kernels.of(gpu, module, suffix + headSizes[i]);
        }
        return kernels;
    }

    void forward(Tensor o_RC, Tensor lse_BNT, Tensor q_RC, Tensor k_RC, Tensor v_RC, AttentionShape shape) {
        boolean tensorCores = wide(o_RC) && wide(q_RC) && wide(k_RC) && wide(v_RC);
        @Nullable Kernels fast = tensorCores ? mmaKernels(q_RC.dtype(), shape) : null;
        launcher.begin()
                .put(o_RC)
                .put(lse_BNT)
                .put(q_RC)
                .put(k_RC)
                .put(v_RC)
                .put(q_RC.rowStride())
                .put(k_RC.rowStride())
                .put(v_RC.rowStride());
        putShape(shape);
        if (fast != null) {
            int tiles = MMA_ROWS + 4 * streamedRows(shape);
            launch(fast.forward, MMA_ROWS, shape.heads(), shape, tiles * mmaRowBytes(shape));
        } else {
            int tile = tile(shape);
            int floats = 2 * tile * (shape.headSize() + 1) + tile * (tile + 1);
            launch(kernels(q_RC.dtype(), shape).forward, tile, shape.heads(), shape, floats * Float.BYTES);
        }
    }

    void backward(
            Tensor dq_RC,
            Tensor dk_RC,
            Tensor dv_RC,
            Tensor do_RC,
            Tensor o_RC,
            Tensor lse_BNT,
            Tensor q_RC,
            Tensor k_RC,
            Tensor v_RC,
            AttentionShape shape) {
        long pairs = shape.rows() * shape.heads();
        long delta_BNT = launcher.scratch("the gradient of attention", pairs * Float.BYTES);
        launcher.begin()
                .put(delta_BNT)
                .put(do_RC)
                .put(o_RC)
                .put(shape.rows())
                .put(shape.sequence())
                .put(shape.heads())
                .put(shape.headSize())
                .put(0);
        launcher.launch(delta.of(q_RC.dtype()), Launcher.divideUp(pairs, PAIRS_OF_BLOCK), 1, 1, Launcher.THREADS, 0);

        boolean tensorCores =
                wide(dq_RC) && wide(dk_RC) && wide(dv_RC) && wide(do_RC) && wide(q_RC) && wide(k_RC) && wide(v_RC);
        @Nullable Kernels fast = tensorCores ? mmaKernels(q_RC.dtype(), shape) : null;
        launcher.begin()
                .put(dq_RC)
                .put(dk_RC)
                .put(dv_RC)
                .put(do_RC)
                .put(lse_BNT)
                .put(delta_BNT)
                .put(q_RC)
                .put(k_RC)
                .put(v_RC)
                .put(dq_RC.rowStride())
                .put(dk_RC.rowStride())
                .put(dv_RC.rowStride())
                .put(q_RC.rowStride())
                .put(k_RC.rowStride())
                .put(v_RC.rowStride());
        putShape(shape);
        // Both take the same arguments.
        if (fast != null) {
            int tiles = (2 * MMA_ROWS + 4 * streamedRows(shape)) * mmaRowBytes(shape);
            int statistics = 4 * streamedRows(shape) * Float.BYTES;
            launch(fast.queryGradient, MMA_ROWS, shape.heads(), shape, tiles);
            launch(fast.keyGradient, MMA_ROWS, shape.keyValueHeads(), shape, tiles + statistics);
        } else {
            Kernels kernels = kernels(q_RC.dtype(), shape);
            int tile = tile(shape);
            int tiles = 4 * tile * (shape.headSize() + 1);
            int square = tile * (tile + 1);
            launch(kernels.queryGradient, tile, shape.heads(), shape, (tiles + square) * Float.BYTES);
            int floats = tiles + 2 * square + 2 * tile;
            launch(kernels.keyGradient, tile, shape.keyValueHeads(), shape, floats * Float.BYTES);
        }
    }

    private void putShape(AttentionShape shape) {
        launcher.put(shape.sequence())
                .put(shape.heads())
                .put(shape.keyValueHeads())
                .put(shape.headSize())
                .put((float) (1 / Math.sqrt(shape.headSize())))
                .put(0);
    }

    private void launch(Gpu.Function kernel, int rows, int heads, AttentionShape shape, int sharedBytes) {
        launcher.launch(
                kernel, Launcher.divideUp(shape.sequence(), rows), heads, shape.batch(), BLOCK_THREADS, sharedBytes);
    }

    /** Rows on 16-byte boundaries, as asynchronous copies need. */
    private static boolean wide(Tensor x) {
        return x.dtype().isHalf()
                && x.address() % 16 == 0
                && x.rowStride() * x.dtype().bytes() % 16 == 0;
    }

    private @Nullable Kernels mmaKernels(DType half, AttentionShape shape) {
        Kernels[] mma = half == DType.BF16 ? mmaBf16 : mmaF16;
        for (int i = 0; i < mma.length; i++) {
            if (shape.headSize() == MMA_HEAD_SIZES[i]) {
                return mma[i];
            }
        }
        return null;
    }

    private Kernels kernels(DType dtype, AttentionShape shape) {
        Kernels[] kernels = switch (dtype) {
            case F32 -> f32;
            case BF16 -> bf16;
            case F16 -> f16;
            case F64, I32 -> throw Launcher.refusal(dtype);
        };
        for (int i = 0; i < kernels.length; i++) {
            if (shape.headSize() <= HEAD_SIZES[i]) {
                return kernels[i];
            }
        }
        throw new IllegalStateException("attention of head size " + shape.headSize()
                + " on the cuda backend, which takes at most " + HEAD_SIZES[HEAD_SIZES.length - 1]);
    }

    /** Rows of a tile of attention.cu. */
    private static int tile(AttentionShape shape) {
        return shape.headSize() > 128 ? 16 : 32;
    }

    /** streamed_rows of attention_mma.cu. */
    private static int streamedRows(AttentionShape shape) {
        return shape.headSize() > 64 ? 32 : 64;
    }

    /** Tile::STRIDE of mma.cuh. */
    private static int mmaRowBytes(AttentionShape shape) {
        return (shape.headSize() + 8) * DType.BF16.bytes();
    }
}
