package io.penstock.models;

import io.penstock.tensor.Checks;

/**
 * The shape of a model, by the keys of Hugging Face's {@code config.json}; a {@link ModelFamily} turns it into layers.
 *
 * @param layerNormEpsilon of Llama, {@code rms_norm_eps}
 * @param numKeyValueHeads heads of keys and values, which groups of query heads share; as many as attention heads in a GPT-2
 * @param ropeTheta base of the rotary embedding; of no meaning to a GPT-2
 */
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
        double initializerRange,
        int numKeyValueHeads,
        double ropeTheta) {
    /** Of those who say nothing else. */
    public static final double ROPE_THETA = 10_000;

    public ModelConfig {
        if (numHiddenLayers < 1
                || hiddenSize < 1
                || numAttentionHeads < 1
                || intermediateSize < 1
                || maxPositionEmbeddings < 1
                || vocabSize < 1
                || numKeyValueHeads < 1) {
            throw new IllegalArgumentException("model sizes must be positive: num_hidden_layers=" + numHiddenLayers
                    + " hidden_size=" + hiddenSize
                    + " num_attention_heads=" + numAttentionHeads + " intermediate_size=" + intermediateSize
                    + " max_position_embeddings="
                    + maxPositionEmbeddings + " vocab_size=" + vocabSize + " num_key_value_heads=" + numKeyValueHeads);
        }
        Checks.divideExact(hiddenSize, "hidden_size", numAttentionHeads, "num_attention_heads");
        Checks.divideExact(numAttentionHeads, "num_attention_heads", numKeyValueHeads, "num_key_value_heads");
    }

    /** Every query head with keys and values of its own. */
    public ModelConfig(
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
        this(
                architecture,
                numHiddenLayers,
                hiddenSize,
                numAttentionHeads,
                intermediateSize,
                maxPositionEmbeddings,
                vocabSize,
                layerNormEpsilon,
                tieWordEmbeddings,
                initializerRange,
                numAttentionHeads,
                ROPE_THETA);
    }

    /** The same with so many layers, under that name. */
    private ModelConfig with(String name, int layers) {
        return new ModelConfig(
                name,
                layers,
                hiddenSize,
                numAttentionHeads,
                intermediateSize,
                maxPositionEmbeddings,
                vocabSize,
                layerNormEpsilon,
                tieWordEmbeddings,
                initializerRange,
                numKeyValueHeads,
                ropeTheta);
    }

    public ModelConfig withLayers(int layers) {
        return with(architecture, layers);
    }

    /** For a model of somebody's own. */
    public ModelConfig withArchitecture(String name) {
        return with(name, numHiddenLayers);
    }

    public int headSize() {
        return hiddenSize / numAttentionHeads;
    }
}
