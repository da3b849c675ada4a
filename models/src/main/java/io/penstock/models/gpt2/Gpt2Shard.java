package io.penstock.models.gpt2;

import io.penstock.models.MicroBatchShape;
import io.penstock.models.ModelConfig;
import io.penstock.models.parallel.TensorSplit;
import io.penstock.tensor.AttentionShape;
import io.penstock.tensor.Checks;
import io.penstock.tensor.Shape;

/** A rank's sizes of a GPT-2: heads, feed-forward columns and rows of the vocabulary are shared out, all of them with one rank. */
record Gpt2Shard(ModelConfig config, TensorSplit split) {
    Gpt2Shard {
        Checks.divideExact(config.numAttentionHeads(), "num_attention_heads", split.size(), "tensor");
        require("intermediate_size", config.intermediateSize(), split);
        require("vocab_size", config.vocabSize(), split);
    }

    private static void require(String key, int value, TensorSplit split) {
        if (value < split.size()) {
            throw new IllegalArgumentException(key + "=" + value + " < tensor=" + split.size());
        }
    }

    static Gpt2Shard whole(ModelConfig config) {
        return new Gpt2Shard(config, TensorSplit.WHOLE);
    }

    int heads() {
        return config.numAttentionHeads() / split.size();
    }

    /** Columns of q, of k and of v: N/tp * H. */
    long attentionWidth() {
        return (long) heads() * config.headSize();
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
        return new AttentionShape(microBatch.batch(), microBatch.sequence(), heads(), heads(), config.headSize());
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
