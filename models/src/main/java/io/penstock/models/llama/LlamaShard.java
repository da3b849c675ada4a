package io.penstock.models.llama;

import io.penstock.models.MicroBatchShape;
import io.penstock.models.ModelConfig;
import io.penstock.models.parallel.TensorSplit;
import io.penstock.tensor.AttentionShape;
import io.penstock.tensor.Checks;
import io.penstock.tensor.Shape;

/** A rank's sizes of a Llama: query heads with the key and value heads they share, feed-forward columns and rows of the vocabulary are shared out. */
record LlamaShard(ModelConfig config, TensorSplit split) {
    LlamaShard {
        if (config.headSize() % 2 != 0) {
            throw new IllegalArgumentException(
                    "hidden_size=" + config.hiddenSize() + " / num_attention_heads=" + config.numAttentionHeads()
                            + " = " + config.headSize() + ", rotary embedding needs an even number");
        }
        Checks.divideExact(config.numKeyValueHeads(), "num_key_value_heads", split.size(), "tensor");
        require("intermediate_size", config.intermediateSize(), split);
        require("vocab_size", config.vocabSize(), split);
    }

    private static void require(String key, int value, TensorSplit split) {
        if (value < split.size()) {
            throw new IllegalArgumentException(key + "=" + value + " < tensor=" + split.size());
        }
    }

    static LlamaShard whole(ModelConfig config) {
        return new LlamaShard(config, TensorSplit.WHOLE);
    }

    int heads() {
        return config.numAttentionHeads() / split.size();
    }

    int keyValueHeads() {
        return config.numKeyValueHeads() / split.size();
    }

    /** Columns of q: N/tp * H. */
    long queryWidth() {
        return (long) heads() * config.headSize();
    }

    /** Columns of k and of v: Nkv/tp * H. */
    long keyValueWidth() {
        return (long) keyValueHeads() * config.headSize();
    }

    /** F/tp. */
    long feedForward() {
        return split.part(config.intermediateSize());
    }

    /** V/tp. */
    long vocabulary() {
        return split.part(config.vocabSize());
    }

    int firstToken() {
        return Math.toIntExact(split.begin(config.vocabSize()));
    }

    AttentionShape attention(MicroBatchShape microBatch) {
        return new AttentionShape(
                microBatch.batch(), microBatch.sequence(), heads(), keyValueHeads(), config.headSize());
    }

    /** All tokens: (B, T, columns). */
    static Shape all(MicroBatchShape microBatch, long columns) {
        return Shape.of(microBatch.batch(), microBatch.sequence(), columns);
    }

    /** The tokens between regions: (B, T, C), or this rank's rows of them. */
    Shape held(MicroBatchShape microBatch) {
        return split.held(microBatch.batch(), microBatch.sequence(), config.hiddenSize());
    }

    /** One number for each token of {@link #held}. */
    Shape heldStatistics(MicroBatchShape microBatch) {
        return split.held(microBatch.batch(), microBatch.sequence());
    }

    /** How many tokens {@link #held} has. */
    long heldRows(MicroBatchShape microBatch) {
        return held(microBatch).rows();
    }
}
