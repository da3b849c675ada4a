package io.penstock.engine.training;

import io.penstock.engine.optimizer.AdamW;
import io.penstock.engine.optimizer.LearningRateSchedule;

/** What the update of a step depends on beside the gradient. */
public record Hyperparameters(AdamW optimizer, LearningRateSchedule learningRates) {}
