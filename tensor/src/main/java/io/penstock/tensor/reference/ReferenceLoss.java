package io.penstock.tensor.reference;

import io.penstock.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/** Softmax cross-entropy of a row: loss = log sum_v exp(logits[v]) - logits[target]; nothing for a negative target. */
final class ReferenceLoss {
    private ReferenceLoss() {}

    static void crossEntropy(
            Tensor loss_R, @Nullable Tensor dlogits_RV, Tensor logits_RV, Tensor targets_R, float scale) {
        double[] logits = Values.read(logits_RV);
        int[] targets = Values.readInts(targets_R);
        int vocabulary = Math.toIntExact(logits_RV.shape().last());
        double[] dlogits = new double[logits.length];
        for (int r = 0; r < targets.length; r++) {
            if (targets[r] < 0) {
                loss_R.set(r, 0);
                continue;
            }
            int row = r * vocabulary;
            double lse = logSumExp(logits, row, vocabulary);
            loss_R.set(r, lse - logits[row + targets[r]]);
            // loss = lse - logits[target], so dlogits = softmax - onehot
            for (int c = 0; c < vocabulary; c++) {
                dlogits[row + c] = scale * (Math.exp(logits[row + c] - lse) - (c == targets[r] ? 1 : 0));
            }
        }
        if (dlogits_RV != null) {
            Values.write(dlogits_RV, dlogits);
        }
    }

    private static double logSumExp(double[] x, int from, int count) {
        double max = Double.NEGATIVE_INFINITY;
        for (int i = from; i < from + count; i++) {
            max = Math.max(max, x[i]);
        }
        double sum = 0;
        for (int i = from; i < from + count; i++) {
            sum += Math.exp(x[i] - max);
        }
        return max + Math.log(sum);
    }
}
