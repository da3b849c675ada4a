package io.penstock.tensor.cuda;

import io.penstock.tensor.Tensor;
import io.penstock.tensor.cuda.Launcher.Typed;
import org.jspecify.annotations.Nullable;

/** Cross-entropy of whole rows and of parts of them: kernels of loss.cu, a block a row. */
final class Losses {
    private static final int THREADS = 512;
    /** A maximum and a sum of each warp. */
    private static final int SHARED_BYTES = 2 * (THREADS / 32) * Float.BYTES;

    private final Launcher launcher;
    private final Gpu.Function softmaxPart;
    private final Typed crossEntropy;

    Losses(Launcher launcher) {
        this.launcher = launcher;
        softmaxPart = launcher.gpu().function("loss", "softmax_part");
        crossEntropy = Typed.of(launcher.gpu(), "loss", "cross_entropy");
    }

    void softmaxPart(Tensor statistics_R3, Tensor logits_RV, Tensor targets_R, int first) {
        launcher.begin()
                .put(statistics_R3)
                .put(logits_RV)
                .put(targets_R)
                .put(logits_RV.shape().last())
                .put(logits_RV.rowStride())
                .put((long) first);
        launcher.launch(softmaxPart, logits_RV.shape().rows(), 1, 1, THREADS, SHARED_BYTES);
    }

    /** Of whole rows where {@code statistics_PR3} is absent; else of the columns {@code first} and on. */
    void crossEntropy(
            Tensor loss_R,
            @Nullable Tensor dlogits_RV,
            Tensor logits_RV,
            Tensor targets_R,
            @Nullable Tensor statistics_PR3,
            int first,
            float scale) {
        Tensor gradient = dlogits_RV == null ? logits_RV : dlogits_RV;
        launcher.begin()
                .put(loss_R)
                .put(dlogits_RV)
                .put(logits_RV)
                .put(targets_R)
                .put(statistics_PR3)
                .put(statistics_PR3 == null ? launcher.errorWord() : 0)
                .put(logits_RV.shape().rows())
                .put(logits_RV.shape().last())
                .put(logits_RV.rowStride())
                .put(gradient.rowStride())
                .put((long) first)
                .put(
                        statistics_PR3 == null
                                ? 0
                                : parts(statistics_PR3, logits_RV.shape().rows()))
                .put(scale)
                .put(0);
        launcher.launch(crossEntropy.of(gradient.dtype()), logits_RV.shape().rows(), 1, 1, THREADS, SHARED_BYTES);
    }

    /** Three numbers a part and row, in any dims. */
    private static long parts(Tensor statistics_PR3, long rows) {
        return rows == 0 ? 0 : statistics_PR3.elements() / (3 * rows);
    }
}
