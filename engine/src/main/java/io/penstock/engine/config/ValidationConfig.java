package io.penstock.engine.config;

import io.penstock.engine.config.yaml.Key;
import io.penstock.engine.config.yaml.Ranges;

/** Section {@code training.validation}. */
public record ValidationConfig(
        @Key(
                value = "Steps between measurements of the validation loss; 0 for once, at the end.",
                byDefault = "0",
                min = 0)
        int every,

        @Key(
                value = "Sequences measured, evenly spread over the validation data; 0 for all.",
                byDefault = "256",
                min = 0)
        int sequences) {
    public ValidationConfig {
        Ranges.check(ValidationConfig.class, every, sequences);
    }
}
