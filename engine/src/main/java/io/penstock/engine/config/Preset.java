package io.penstock.engine.config;

import io.penstock.engine.config.yaml.Nearest;
import io.penstock.models.ModelConfig;
import io.penstock.models.Presets;
import java.util.Optional;

/** A published shape by its name. */
public record Preset(String name, ModelConfig model) {
    /** @throws IllegalArgumentException naming the presets */
    static Preset parse(String name) {
        ModelConfig model = Presets.find(name)
                .orElseThrow(() -> new IllegalArgumentException("expected one of " + String.join(", ", Presets.names())
                        + ", found '" + name + "'" + Nearest.suggestion(name, Presets.names())));
        return new Preset(name, model);
    }

    DescribedModel described() {
        return new DescribedModel(
                Architecture.GPT2,
                model.numHiddenLayers(),
                model.hiddenSize(),
                model.numAttentionHeads(),
                Optional.empty(),
                Optional.of(model.intermediateSize()),
                model.maxPositionEmbeddings(),
                model.vocabSize(),
                Optional.of((double) model.layerNormEpsilon()),
                Optional.empty(),
                Optional.empty(),
                Optional.of(model.tieWordEmbeddings()),
                model.initializerRange());
    }

    /** As the configuration writes it. */
    @Override
    public String toString() {
        return name;
    }
}
