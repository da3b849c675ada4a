package io.penstock.engine.config;

import io.penstock.engine.config.yaml.Key;
import java.nio.file.Path;
import java.util.Optional;

/** A model whose shape and weights lie in a folder. */
public record PretrainedModel(
        @Key("Folder in Hugging Face layout (`config.json`, `model.safetensors`): its weights are trained further.")
        Path pretrained)
        implements ModelConfig {
    @Override
    public Optional<DescribedModel> described() {
        return Optional.empty();
    }
}
