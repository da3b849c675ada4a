package io.penstock.tensor.cuda;

import io.penstock.tensor.Tensor;
import io.penstock.tensor.cuda.Launcher.Typed;
import org.jspecify.annotations.Nullable;

/** Token and position embedding: kernels of embedding.cu. */
final class Embeddings {
    private static final int ROWS_OF_BLOCK = 8;

    private final Launcher launcher;
    private final Typed forward;
    private final Gpu.Function links;
    private final Typed tokenGradient;
    private final Typed positionGradient;

    Embeddings(Launcher launcher) {
        this.launcher = launcher;
        Gpu gpu = launcher.gpu();
        forward = Typed.of(gpu, "embedding", "embedding");
        links = gpu.function("embedding", "embedding_links");
        tokenGradient = Typed.of(gpu, "embedding", "embedding_gradient");
        positionGradient = Typed.of(gpu, "embedding", "position_gradient");
    }

    /** Of the whole table, where a token out of range is an error. */
    void forward(Tensor y_RC, Tensor tokens_R, Tensor wte_VC, @Nullable Tensor wpe_TC, int sequence) {
        embed(y_RC, tokens_R, wte_VC, wpe_TC, sequence, 0, launcher.errorWord());
    }

    /** Of the rows {@code first} and on, the others being elsewhere. */
    void forwardPart(Tensor y_RC, Tensor tokens_R, Tensor wte_VC, int first) {
        embed(y_RC, tokens_R, wte_VC, null, 1, first, 0);
    }

    private void embed(
            Tensor y_RC,
            Tensor tokens_R,
            Tensor wte_VC,
            @Nullable Tensor wpe_TC,
            long sequence,
            long first,
            long errorWord) {
        long rows = y_RC.shape().rows();
        long columns = y_RC.shape().last();
        launcher.begin()
                .put(y_RC)
                .put(tokens_R)
                .put(wte_VC)
                .put(wpe_TC)
                .put(errorWord)
                .put(rows)
                .put(columns)
                .put(wte_VC.shape().rows())
                .put(sequence)
                .put(first)
                .launchOverRows(forward.of(y_RC.dtype()), rows, columns);
    }

    void backward(Tensor dwte_VC, @Nullable Tensor dwpe_TC, Tensor dy_RC, Tensor tokens_R, int sequence) {
        scatter(dwte_VC, dy_RC, tokens_R, 0, launcher.errorWord());
        if (dwpe_TC != null) {
            long columns = dy_RC.shape().last();
            launcher.begin()
                    .put(dwpe_TC)
                    .put(dy_RC)
                    .put(dy_RC.shape().rows())
                    .put(columns)
                    .put((long) sequence)
                    .launchOver(positionGradient.of(dy_RC.dtype()), sequence * columns);
        }
    }

    void backwardPart(Tensor dwte_VC, Tensor dy_RC, Tensor tokens_R, int first) {
        scatter(dwte_VC, dy_RC, tokens_R, first, 0);
    }

    private void scatter(Tensor dwte_VC, Tensor dy_RC, Tensor tokens_R, long first, long errorWord) {
        long rows = dy_RC.shape().rows();
        long columns = dy_RC.shape().last();
        if (rows == 0) {
            return;
        }
        long next = launcher.scratch("the gradient of an embedding", 2 * rows * Integer.BYTES);
        long later = next + rows * Integer.BYTES;
        launcher.gpu().zero(later, rows * Integer.BYTES);
        launcher.begin().put(next).put(later).put(tokens_R).put(rows);
        launcher.launch(links, Launcher.divideUp(rows, ROWS_OF_BLOCK), 1, 1, Launcher.THREADS, 0);
        launcher.begin()
                .put(dwte_VC)
                .put(dy_RC)
                .put(tokens_R)
                .put(next)
                .put(later)
                .put(errorWord)
                .put(rows)
                .put(columns)
                .put(dwte_VC.shape().rows())
                .put(first);
        int columnBlocks = Math.toIntExact(Launcher.divideUp(columns, Launcher.THREADS));
        launcher.launch(tokenGradient.of(dy_RC.dtype()), rows, columnBlocks, 1, Launcher.THREADS, 0);
    }
}
