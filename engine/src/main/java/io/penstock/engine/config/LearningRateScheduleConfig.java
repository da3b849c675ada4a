package io.penstock.engine.config;

import io.penstock.engine.config.yaml.Key;
import io.penstock.engine.config.yaml.Ranges;

/** Section {@code training.learning_rate_schedule}. */
public record LearningRateScheduleConfig(
        @Key(value = "Steps of linear rise from 0 to the learning rate.", byDefault = "0", min = 0)
        int warmupSteps,

        @Key(value = "Shape of the fall from there to the last step.", byDefault = "cosine")
        Decay decay,

        @Key(value = "Learning rate at the last step, as a part of the highest.", byDefault = "0.1", min = 0, max = 1)
        double finalFraction) {
    public LearningRateScheduleConfig {
        Ranges.check(LearningRateScheduleConfig.class, warmupSteps, decay, finalFraction);
    }
}
