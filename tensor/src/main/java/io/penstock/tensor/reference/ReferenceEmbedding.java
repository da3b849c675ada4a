package io.penstock.tensor.reference;

import io.penstock.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/** Token and position embedding. */
final class ReferenceEmbedding {
    private ReferenceEmbedding() {}

    /** y[r][c] = wte[tokens[r]][c] + wpe[r mod T][c]. */
    static void forward(Tensor y_RC, Tensor tokens_R, Tensor wte_VC, @Nullable Tensor wpe_TC, int sequence) {
        int[] tokens = Values.readInts(tokens_R);
        long columns = y_RC.shape().last();
        for (int r = 0; r < tokens.length; r++) {
            for (long c = 0; c < columns; c++) {
                double y = wte_VC.get(tokens[r] * columns + c);
                if (wpe_TC != null) {
                    y += wpe_TC.get(r % sequence * columns + c);
                }
                y_RC.set(r * columns + c, y);
            }
        }
    }

    /** dwte[tokens[r]] += dy[r], dwpe[r mod T] += dy[r]. */
    static void backward(Tensor dwte_VC, @Nullable Tensor dwpe_TC, Tensor dy_RC, Tensor tokens_R, int sequence) {
        int[] tokens = Values.readInts(tokens_R);
        int columns = Math.toIntExact(dy_RC.shape().last());
        double[] dy = Values.read(dy_RC);
        // forward: y[r] = wte[tokens[r]] + wpe[r mod T]
        scatter(dwte_VC, dy, columns, tokens);
        if (dwpe_TC != null) {
            int[] positions = new int[tokens.length];
            for (int r = 0; r < positions.length; r++) {
                positions[r] = r % sequence;
            }
            scatter(dwpe_TC, dy, columns, positions);
        }
    }

    private static void scatter(Tensor dw, double[] dy, int columns, int[] rows) {
        double[] sums = Values.read(dw);
        for (int r = 0; r < rows.length; r++) {
            for (int c = 0; c < columns; c++) {
                sums[rows[r] * columns + c] += dy[r * columns + c];
            }
        }
        Values.write(dw, sums);
    }
}
