package io.penstock.engine.config;

import java.util.Optional;

/** Section {@code model}: exactly one of the three. */
public sealed interface ModelConfig permits DescribedModel, PresetModel, PretrainedModel {
    /** The shape, as far as it stands in the configuration itself: a pretrained folder tells its own. */
    Optional<DescribedModel> described();
}
