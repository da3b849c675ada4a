package io.penstock.engine.config;

import io.penstock.engine.config.yaml.Key;
import io.penstock.engine.config.yaml.Ranges;
import io.penstock.partitioner.estimate.Transformer;
import java.util.Optional;

/** A model to plan for, given by the keys of Hugging Face's {@code config.json} that time and memory depend on. */
public record PlannedModel(
        @Key("Model family: `gpt2` has two matrices in its feed-forward, `llama` three.")
        PlannedArchitecture architecture,

        @Key(value = "Transformer blocks.", min = 1, max = 2000)
        int numHiddenLayers,

        @Key(value = "Width of the residual stream.", min = 1, max = 10000000)
        int hiddenSize,

        @Key(value = "Attention heads of a block; must divide `hidden_size`.", min = 1)
        int numAttentionHeads,

        @Key(value = "Heads of keys and values; as many as attention heads where absent.", min = 1)
        Optional<Integer> numKeyValueHeads,

        @Key(value = "Width of the feed-forward part; 4 x `hidden_size` where absent.", min = 1)
        Optional<Integer> intermediateSize,

        @Key(value = "Tokens in the vocabulary.", min = 1) int vocabSize,

        @Key(
                "Whether the head uses the token embedding as its weight; true for `gpt2`, false for `llama` where absent.")
        Optional<Boolean> tieWordEmbeddings) {
    public PlannedModel {
        Ranges.check(
                PlannedModel.class,
                architecture,
                numHiddenLayers,
                hiddenSize,
                numAttentionHeads,
                numKeyValueHeads,
                intermediateSize,
                vocabSize,
                tieWordEmbeddings);
    }

    /** The same in the words of the planner. */
    public Transformer toTransformer(int sequenceLength) {
        boolean llama = architecture == PlannedArchitecture.LLAMA;
        return new Transformer(
                numHiddenLayers,
                hiddenSize,
                numAttentionHeads,
                numKeyValueHeads.orElse(numAttentionHeads),
                intermediateSize.orElse(4 * hiddenSize),
                llama,
                vocabSize,
                sequenceLength,
                tieWordEmbeddings.orElse(!llama));
    }
}
