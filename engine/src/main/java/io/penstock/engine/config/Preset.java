package io.penstock.engine.config;

import java.util.Optional;

/** Published shapes. Radford et al. 2019, as in the {@code config.json} of their Hugging Face folders. */
public enum Preset {
    GPT2_124M("gpt2-124m", 12, 768, 12),
    GPT2_355M("gpt2-355m", 24, 1024, 16),
    GPT2_774M("gpt2-774m", 36, 1280, 20),
    GPT2_1558M("gpt2-1.5b", 48, 1600, 25);

    private final String word;
    private final int layers;
    private final int hiddenSize;
    private final int heads;

    Preset(String word, int layers, int hiddenSize, int heads) {
        this.word = word;
        this.layers = layers;
        this.hiddenSize = hiddenSize;
        this.heads = heads;
    }

    DescribedModel model() {
        return new DescribedModel(
                Architecture.GPT2, layers, hiddenSize, heads, Optional.empty(), 1024, 50257, 1.0e-5, true, 0.02);
    }

    /** The word in the configuration. */
    @Override
    public String toString() {
        return word;
    }
}
