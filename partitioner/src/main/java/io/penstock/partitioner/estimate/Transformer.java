package io.penstock.partitioner.estimate;

import io.penstock.models.ModelConfig;
import io.penstock.partitioner.PlanException;

/**
 * A decoder-only transformer as far as time and memory depend on it.
 *
 * @param gated whether the feed-forward has three matrices (SwiGLU) instead of two
 * @param sequence tokens a sequence in training
 */
public record Transformer(
        int layers,
        int hidden,
        int heads,
        int keyValueHeads,
        int intermediate,
        boolean gated,
        int vocabulary,
        int sequence,
        boolean tied) {
    public Transformer {
        if (layers < 1 || hidden < 1 || heads < 1 || keyValueHeads < 1 || intermediate < 1 || vocabulary < 1) {
            throw new PlanException(
                    "a model of " + layers + " layers, hidden size " + hidden + ", " + heads + " heads, "
                            + keyValueHeads + " key-value heads, vocabulary " + vocabulary + ": all must be positive");
        }
    }

    public static Transformer of(ModelConfig config, int sequence) {
        return new Transformer(
                config.numHiddenLayers(),
                config.hiddenSize(),
                config.numAttentionHeads(),
                config.numKeyValueHeads(),
                config.intermediateSize(),
                config.architecture().equals("llama"),
                config.vocabSize(),
                sequence,
                config.tieWordEmbeddings());
    }

    /** Columns of keys or values: hidden size over the share of heads that have their own. */
    public double keyValueSize() {
        return (double) hidden / heads * keyValueHeads;
    }

    /** Matrices of one block; its vectors are left out. */
    public double blockParameters() {
        return hidden * (2.0 * hidden + 2 * keyValueSize()) + (gated ? 3.0 : 2.0) * hidden * intermediate;
    }

    public double embeddingParameters() {
        return (double) vocabulary * hidden;
    }

    public double parameters() {
        return layers * blockParameters() + (tied ? 1 : 2) * embeddingParameters();
    }

    /** Arithmetic of forward and backward a token without recomputation, attention counted in full as arXiv 2205.05198 does: the numerator of MFU. */
    public double modelFlopsPerToken() {
        return 6.0 * (layers * blockParameters() + embeddingParameters()) + 12.0 * layers * hidden * sequence;
    }

    public Transformer withSequence(int tokens) {
        return new Transformer(layers, hidden, heads, keyValueHeads, intermediate, gated, vocabulary, tokens, tied);
    }
}
