package io.penstock.engine.config;

import io.penstock.engine.config.yaml.Key;
import io.penstock.engine.config.yaml.Ranges;

/** Section {@code training.gradient_sum}. */
public record GradientSumConfig(
        @Key(
                value =
                        "Partial sums that are added as a balanced binary tree: a power of two, at least `data`; 0 for `data`.",
                byDefault = "0",
                min = 0)
        int width,

        @Key(
                value =
                        "Micro-batches of a partial sum, added one after the other; 0 for as many as the batch has, or 1 with"
                                + " `zero_stage` 2 and 3 over several replicas.",
                byDefault = "0",
                min = 0)
        int leaf) {
    public GradientSumConfig {
        Ranges.check(GradientSumConfig.class, width, leaf);
    }
}
