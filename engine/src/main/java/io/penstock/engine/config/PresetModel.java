package io.penstock.engine.config;

import io.penstock.engine.config.yaml.Key;
import java.util.Optional;

/** A well-known model by its name, trained from scratch. */
public record PresetModel(
        @Key("Name of a well-known shape, with fresh weights.")
        Preset preset) implements ModelConfig {
    @Override
    public Optional<DescribedModel> described() {
        return Optional.of(preset.described());
    }
}
