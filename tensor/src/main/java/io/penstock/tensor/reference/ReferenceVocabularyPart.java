package io.penstock.tensor.reference;

import io.penstock.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/** Embedding and softmax cross-entropy by one part of the vocabulary, which begins with token {@code first}. Shoeybi et al. 2019. */
final class ReferenceVocabularyPart {
    private ReferenceVocabularyPart() {}

    /** y[r] = wte[tokens[r] - first], 0 where that is no row of wte. */
    static void embedding(Tensor y_RC, Tensor tokens_R, Tensor wte_VC, int first) {
        int[] tokens = Values.readInts(tokens_R);
        long columns = y_RC.shape().last();
        for (int r = 0; r < tokens.length; r++) {
            for (long c = 0; c < columns; c++) {
                boolean here = isIn(tokens[r], first, wte_VC.shape().rows());
                y_RC.set(r * columns + c, here ? wte_VC.get((tokens[r] - first) * columns + c) : 0);
            }
        }
    }

    /** dwte[tokens[r] - first] += dy[r]. */
    static void embeddingBackward(Tensor dwte_VC, Tensor dy_RC, Tensor tokens_R, int first) {
        int[] tokens = Values.readInts(tokens_R);
        double[] dy = Values.read(dy_RC);
        double[] sums = Values.read(dwte_VC);
        int columns = Math.toIntExact(dy_RC.shape().last());
        for (int r = 0; r < tokens.length; r++) {
            // forward: y[r] = wte[tokens[r] - first]
            for (int c = 0;
                    c < columns && isIn(tokens[r], first, dwte_VC.shape().rows());
                    c++) {
                sums[(tokens[r] - first) * columns + c] += dy[r * columns + c];
            }
        }
        Values.write(dwte_VC, sums);
    }

    /** max_v logits, sum_v exp(logits - max), logits[target - first]. */
    static void softmax(Tensor statistics_R3, Tensor logits_RV, Tensor targets_R, int first) {
        double[] logits = Values.read(logits_RV);
        int[] targets = Values.readInts(targets_R);
        int vocabulary = Math.toIntExact(logits_RV.shape().last());
        for (int r = 0; r < targets.length; r++) {
            double max = Double.NEGATIVE_INFINITY;
            for (int v = 0; v < vocabulary; v++) {
                max = Math.max(max, logits[r * vocabulary + v]);
            }
            double sum = 0;
            for (int v = 0; v < vocabulary; v++) {
                sum += Math.exp(logits[r * vocabulary + v] - max);
            }
            statistics_R3.set(3L * r, max);
            statistics_R3.set(3L * r + 1, sum);
            boolean here = isIn(targets[r], first, vocabulary);
            statistics_R3.set(3L * r + 2, here ? logits[r * vocabulary + targets[r] - first] : 0);
        }
    }

    static void crossEntropy(
            Tensor loss_R,
            @Nullable Tensor dlogits_RV,
            Tensor logits_RV,
            Tensor targets_R,
            Tensor statistics_PR3,
            int first,
            float scale) {
        double[] logits = Values.read(logits_RV);
        double[] statistics = Values.read(statistics_PR3);
        int[] targets = Values.readInts(targets_R);
        int vocabulary = Math.toIntExact(logits_RV.shape().last());
        double[] dlogits = new double[logits.length];
        for (int r = 0; r < targets.length; r++) {
            if (targets[r] < 0) {
                loss_R.set(r, 0);
                continue;
            }
            double lse = logSumExp(statistics, r, targets.length);
            double atTarget = 0;
            for (int at = 3 * r; at < statistics.length; at += 3 * targets.length) {
                atTarget += statistics[at + 2];
            }
            loss_R.set(r, lse - atTarget);
            // loss = lse - logits[target], so dlogits = softmax - onehot
            for (int v = 0; v < vocabulary; v++) {
                int at = r * vocabulary + v;
                dlogits[at] = scale * (Math.exp(logits[at] - lse) - (v == targets[r] - first ? 1 : 0));
            }
        }
        if (dlogits_RV != null) {
            Values.write(dlogits_RV, dlogits);
        }
    }

    /** Of row {@code r} of {@code rows}, over the parts. */
    private static double logSumExp(double[] statistics, int r, int rows) {
        double max = Double.NEGATIVE_INFINITY;
        for (int at = 3 * r; at < statistics.length; at += 3 * rows) {
            max = Math.max(max, statistics[at]);
        }
        double sum = 0;
        for (int at = 3 * r; at < statistics.length; at += 3 * rows) {
            sum += statistics[at + 1] * Math.exp(statistics[at] - max);
        }
        return max + Math.log(sum);
    }

    private static boolean isIn(int token, int first, long count) {
        return token >= first && token < first + count;
    }
}
