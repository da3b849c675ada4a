package io.penstock.models;

import io.penstock.tensor.Checks;

/** The shape of a model, by the keys of Hugging Face's {@code config.json}; a {@link ModelFamily} turns it into layers. */
public record ModelConfig(
        String architecture,
        int numHiddenLayers,
        int hiddenSize,
        int numAttentionHeads,
        int intermediateSize,
        int maxPositionEmbeddings,
        int vocabSize,
        float layerNormEpsilon,
        boolean tieWordEmbeddings,
        double initializerRange) {
    public ModelConfig {
        if (numHiddenLayers < 1
                || hiddenSize < 1
                || numAttentionHeads < 1
                || intermediateSize < 1
                || maxPositionEmbeddings < 1
                || vocabSize < 1) {
            throw new IllegalArgumentException(
                    "model sizes must be positive: num_hidden_layers=" + numHiddenLayers + " hidden_size=" + hiddenSize
                            + " num_attention_heads=" + numAttentionHeads + " intermediate_size=" + intermediateSize
                            + " max_position_embeddings="
                            + maxPositionEmbeddings + " vocab_size=" + vocabSize);
        }
        Checks.divideExact(hiddenSize, "hidden_size", numAttentionHeads, "num_attention_heads");
    }

    public int headSize() {
        return hiddenSize / numAttentionHeads;
    }
}
