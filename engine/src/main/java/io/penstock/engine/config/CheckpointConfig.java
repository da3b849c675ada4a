package io.penstock.engine.config;

import io.penstock.engine.config.yaml.Key;
import io.penstock.engine.config.yaml.Ranges;

/** Section {@code checkpoint}. */
public record CheckpointConfig(
        @Key(value = "Steps between checkpoints; 0 for one, at the end.", byDefault = "0", min = 0)
        int every,

        @Key(value = "Newest checkpoints that are kept.", byDefault = "3", min = 1)
        int keep) {
    public CheckpointConfig {
        Ranges.check(CheckpointConfig.class, every, keep);
    }
}
