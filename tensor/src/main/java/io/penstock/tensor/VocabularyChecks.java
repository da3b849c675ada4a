package io.penstock.tensor;

import static io.penstock.tensor.OperandChecks.computeType;
import static io.penstock.tensor.OperandChecks.contiguousCompute;
import static io.penstock.tensor.OperandChecks.disjoint;
import static io.penstock.tensor.OperandChecks.matrix;
import static io.penstock.tensor.OperandChecks.vector;

import org.jspecify.annotations.Nullable;

/** {@link OperationChecks} of what reads a vocabulary: embedding and cross-entropy, of all of it or of a part. */
public final class VocabularyChecks {
    private VocabularyChecks() {}

    public static void embedding(Tensor y, Tensor tokens, Tensor wte, @Nullable Tensor wpe, int sequence) {
        if (!Checks.ENABLED) {
            return;
        }
        contiguousCompute("wte", wte);
        embeddingRows("y", y, tokens, sequence);
        matrix("y", y, y.shape().rows(), wte.shape().last());
        Checks.dtype("y", y, wte.dtype());
        if (wpe != null) {
            positions("wpe", wpe, sequence, wte);
            disjoint("y", y, "wpe", wpe);
        }
        disjoint("y", y, "wte", wte);
        disjoint("y", y, "tokens", tokens);
    }

    public static void embeddingBackward(Tensor dwte, @Nullable Tensor dwpe, Tensor dy, Tensor tokens, int sequence) {
        if (!Checks.ENABLED) {
            return;
        }
        embeddingRows("dy", dy, tokens, sequence);
        Checks.contiguous("dwte", dwte);
        Checks.dtype("dwte", dwte, dy.dtype().accumulator());
        matrix("dwte", dwte, dwte.shape().rows(), dy.shape().last());
        if (dwpe != null) {
            positions("dwpe", dwpe, sequence, dwte);
            disjoint("dwpe", dwpe, "dy", dy);
        }
        disjoint("dwte", dwte, "dy", dy);
    }

    /** For backends whose indices lie in host memory: every index below {@code limit}, and not negative unless {@code negativeAllowed}. */
    public static void indices(String name, Tensor indices, long limit, boolean negativeAllowed) {
        if (!Checks.ENABLED) {
            return;
        }
        for (long i = 0; i < indices.elements(); i++) {
            double index = indices.get(i);
            if (index >= limit || (index < 0 && !negativeAllowed)) {
                throw new IllegalStateException(name + "[" + i + "] = " + (long) index + ", expected below " + limit);
            }
        }
    }

    public static void crossEntropy(Tensor loss, @Nullable Tensor dlogits, Tensor logits, Tensor targets) {
        if (!Checks.ENABLED) {
            return;
        }
        computeType("logits", logits);
        Checks.dtype("logits", logits, logits.dtype().accumulator());
        vector("targets", targets, logits.shape().rows(), DType.I32);
        vector("loss", loss, logits.shape().rows(), logits.dtype());
        disjoint("loss", loss, "logits", logits);
        if (dlogits == null) {
            return;
        }
        computeType("dlogits", dlogits);
        matrix("dlogits", dlogits, logits.shape().rows(), logits.shape().last());
        if (dlogits.dtype().accumulator() != logits.dtype()) {
            throw new IllegalStateException(
                    "dlogits is " + dlogits.dtype() + ", whose accumulator is not logits' " + logits.dtype());
        }
        boolean inPlace = dlogits.address() == logits.address()
                && (logits.shape().rows() <= 1
                        || dlogits.rowStride() * dlogits.dtype().bytes()
                                == logits.rowStride() * logits.dtype().bytes());
        if (!inPlace) {
            disjoint("dlogits", dlogits, "logits", logits);
        }
        disjoint("dlogits", dlogits, "targets", targets);
        disjoint("dlogits", dlogits, "loss", loss);
    }

    public static void embeddingPart(Tensor y, Tensor tokens, Tensor wte, int first) {
        if (!Checks.ENABLED) {
            return;
        }
        contiguousCompute("wte", wte);
        embeddingRows("y", y, tokens, 1);
        matrix("y", y, y.shape().rows(), wte.shape().last());
        Checks.dtype("y", y, wte.dtype());
        disjoint("y", y, "wte", wte);
        disjoint("y", y, "tokens", tokens);
        notNegative(first);
    }

    public static void embeddingPartBackward(Tensor dwte, Tensor dy, Tensor tokens, int first) {
        if (Checks.ENABLED) {
            embeddingBackward(dwte, null, dy, tokens, 1);
            notNegative(first);
        }
    }

    public static void softmaxPart(Tensor statistics, Tensor logits, Tensor targets, int first) {
        if (!Checks.ENABLED) {
            return;
        }
        computeType("logits", logits);
        Checks.dtype("logits", logits, logits.dtype().accumulator());
        vector("targets", targets, logits.shape().rows(), DType.I32);
        statistics(statistics, 1, logits);
        disjoint("statistics", statistics, "logits", logits);
        notNegative(first);
    }

    public static void crossEntropyPart(
            Tensor loss, @Nullable Tensor dlogits, Tensor logits, Tensor targets, Tensor statistics, int first) {
        if (!Checks.ENABLED) {
            return;
        }
        crossEntropy(loss, dlogits, logits, targets);
        long rows = logits.shape().rows();
        statistics(statistics, Math.max(1, statistics.shape().rows() / Math.max(1, rows)), logits);
        disjoint("loss", loss, "statistics", statistics);
        if (dlogits != null) {
            disjoint("dlogits", dlogits, "statistics", statistics);
        }
        notNegative(first);
    }

    private static void statistics(Tensor statistics, long parts, Tensor logits) {
        Checks.contiguous("statistics", statistics);
        Checks.dtype("statistics", statistics, logits.dtype());
        matrix("statistics", statistics, parts * logits.shape().rows(), 3);
    }

    private static void notNegative(int first) {
        if (first < 0) {
            throw new IllegalStateException("a part of a vocabulary cannot begin with first=" + first);
        }
    }

    private static void embeddingRows(String name, Tensor y, Tensor tokens, int sequence) {
        contiguousCompute(name, y);
        vector("tokens", tokens, y.shape().rows(), DType.I32);
        if (sequence < 1 || tokens.elements() % sequence != 0) {
            throw new IllegalStateException("tokens=" + tokens.elements() + " % sequence=" + sequence + " != 0");
        }
    }

    private static void positions(String name, Tensor wpe, int sequence, Tensor wte) {
        Checks.contiguous(name, wpe);
        Checks.dtype(name, wpe, wte.dtype());
        if (wpe.shape().last() != wte.shape().last() || wpe.shape().rows() < sequence) {
            throw new IllegalStateException(name + " has shape " + wpe.shape() + ", expected at least " + sequence
                    + " rows of " + wte.shape().last());
        }
    }
}
