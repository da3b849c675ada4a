package io.penstock.engine.config;

import io.penstock.engine.config.yaml.Key;
import io.penstock.engine.config.yaml.Ranges;
import java.util.Optional;

/** A model given by the keys of Hugging Face's {@code config.json}. */
public record DescribedModel(
        @Key("Model family.") Architecture architecture,

        @Key(value = "Transformer blocks.", min = 1) int numHiddenLayers,

        @Key(value = "Width of the residual stream.", min = 1)
        int hiddenSize,

        @Key(value = "Attention heads of a block; must divide `hidden_size`.", min = 1)
        int numAttentionHeads,

        @Key(value = "Width of the feed-forward part; 4 x `hidden_size` where absent.", min = 1)
        Optional<Integer> intermediateSize,

        @Key(value = "Longest sequence the model can see.", min = 1)
        int maxPositionEmbeddings,

        @Key(value = "Tokens in the vocabulary.", min = 1) int vocabSize,

        @Key(value = "Added to the variance by the layer norm.", byDefault = "1.0e-5", above = 0, below = 1)
        double layerNormEpsilon,

        @Key(value = "Whether the head uses the token embedding as its weight.", byDefault = "true")
        boolean tieWordEmbeddings,

        @Key(value = "Standard deviation of the initial weights.", byDefault = "0.02", above = 0, max = 1)
        double initializerRange)
        implements ModelConfig {
    public DescribedModel {
        Ranges.check(
                DescribedModel.class,
                architecture,
                numHiddenLayers,
                hiddenSize,
                numAttentionHeads,
                intermediateSize,
                maxPositionEmbeddings,
                vocabSize,
                layerNormEpsilon,
                tieWordEmbeddings,
                initializerRange);
        int fourWide = Math.multiplyExact(4, Math.min(hiddenSize, Integer.MAX_VALUE / 4));
        intermediateSize = Optional.of(intermediateSize.orElse(fourWide));
    }

    @Override
    public Optional<DescribedModel> described() {
        return Optional.of(this);
    }

    /** The same shape in the words of the models. */
    public io.penstock.models.ModelConfig toModel() {
        return new io.penstock.models.ModelConfig(
                architecture.toString(),
                numHiddenLayers,
                hiddenSize,
                numAttentionHeads,
                intermediateSize.orElseThrow(),
                maxPositionEmbeddings,
                vocabSize,
                (float) layerNormEpsilon,
                tieWordEmbeddings,
                initializerRange);
    }
}
