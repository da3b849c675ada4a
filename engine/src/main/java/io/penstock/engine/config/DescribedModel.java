package io.penstock.engine.config;

import io.penstock.engine.config.yaml.Key;
import io.penstock.engine.config.yaml.Ranges;
import java.util.Optional;

/** A model given by the keys of Hugging Face's {@code config.json}. */
public record DescribedModel(
        @Key("Model family.") Architecture architecture,

        @Key(value = "Transformer blocks.", min = 1, max = 2000)
        int numHiddenLayers,

        @Key(value = "Width of the residual stream.", min = 1, max = 10000000)
        int hiddenSize,

        @Key(value = "Attention heads of a block; must divide `hidden_size`.", min = 1)
        int numAttentionHeads,

        @Key(value = "Of `llama`: heads of keys and values; as many as attention heads where absent.", min = 1)
        Optional<Integer> numKeyValueHeads,

        @Key(value = "Width of the feed-forward part; 4 x `hidden_size` where absent.", min = 1)
        Optional<Integer> intermediateSize,

        @Key(value = "Longest sequence the model can see.", min = 1, max = 100000000)
        int maxPositionEmbeddings,

        @Key(value = "Tokens in the vocabulary.", min = 1) int vocabSize,

        @Key(value = "Of `gpt2`: added to the variance by the layer norm; 1.0e-5 where absent.", above = 0, below = 1)
        Optional<Double> layerNormEpsilon,

        @Key(value = "Of `llama`: added to the mean square by the RMS norm; 1.0e-6 where absent.", above = 0, below = 1)
        Optional<Double> rmsNormEps,

        @Key(value = "Of `llama`: base of the rotary embedding; 10000 where absent.", min = 1, max = 1e12)
        Optional<Double> ropeTheta,

        @Key(
                "Whether the head uses the token embedding as its weight; true for `gpt2`, false for `llama` where absent.")
        Optional<Boolean> tieWordEmbeddings,

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
                numKeyValueHeads,
                intermediateSize,
                maxPositionEmbeddings,
                vocabSize,
                layerNormEpsilon,
                rmsNormEps,
                ropeTheta,
                tieWordEmbeddings,
                initializerRange);
        int fourWide = Math.multiplyExact(4, Math.min(hiddenSize, Integer.MAX_VALUE / 4));
        intermediateSize = Optional.of(intermediateSize.orElse(fourWide));
        boolean llama = architecture == Architecture.LLAMA;
        tieWordEmbeddings = Optional.of(tieWordEmbeddings.orElse(!llama));
        if (llama) {
            refuse(architecture, "layer_norm_epsilon", layerNormEpsilon, "rms_norm_eps");
            rmsNormEps = Optional.of(rmsNormEps.orElse(1e-6));
            ropeTheta = Optional.of(ropeTheta.orElse(io.penstock.models.ModelConfig.ROPE_THETA));
            numKeyValueHeads = Optional.of(numKeyValueHeads.orElse(numAttentionHeads));
        } else {
            refuse(architecture, "rms_norm_eps", rmsNormEps, "layer_norm_epsilon");
            refuse(architecture, "rope_theta", ropeTheta, "none: its positions are learned");
            refuse(architecture, "num_key_value_heads", numKeyValueHeads, "none: every head has its own");
            layerNormEpsilon = Optional.of(layerNormEpsilon.orElse(1e-5));
        }
    }

    private static void refuse(Architecture architecture, String key, Optional<?> value, String instead) {
        if (value.isPresent()) {
            throw new IllegalArgumentException(
                    key + " is no key of architecture " + architecture + ", which has " + instead);
        }
    }

    @Override
    public Optional<DescribedModel> described() {
        return Optional.of(this);
    }

    /** The same shape in the words of the models. */
    public io.penstock.models.ModelConfig toModel() {
        boolean llama = architecture == Architecture.LLAMA;
        double epsilon = (llama ? rmsNormEps : layerNormEpsilon).orElseThrow();
        return new io.penstock.models.ModelConfig(
                architecture.toString(),
                numHiddenLayers,
                hiddenSize,
                numAttentionHeads,
                intermediateSize.orElseThrow(),
                maxPositionEmbeddings,
                vocabSize,
                (float) epsilon,
                tieWordEmbeddings.orElseThrow(),
                initializerRange,
                numKeyValueHeads.orElse(numAttentionHeads),
                ropeTheta.orElse(io.penstock.models.ModelConfig.ROPE_THETA));
    }
}
