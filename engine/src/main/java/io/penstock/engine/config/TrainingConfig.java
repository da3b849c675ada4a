package io.penstock.engine.config;

import io.penstock.engine.config.yaml.Key;
import io.penstock.engine.config.yaml.Ranges;

/** Section {@code training}. */
public record TrainingConfig(
        @Key(value = "Optimizer updates.", min = 1) int steps,

        @Key(value = "Sequences a step over the whole run; a multiple of `micro_batch_size` x data.", min = 1)
        int globalBatchSize,

        @Key(
                value =
                        "Sequences that go through the pipeline together; 0 for the plan to choose, with `parallelism: auto`.",
                byDefault = "0",
                min = 0)
        int microBatchSize,

        @Key(value = "Tokens of a sequence; at most `max_position_embeddings`.", min = 1)
        int sequenceLength,

        @Key(
                value =
                        "Element type of activations and working weights; weights of record and gradients are f32. With `f16` the loss is scaled.",
                byDefault = "bf16")
        Precision precision,

        @Key("How weights are updated.") OptimizerConfig optimizer,

        @Key("How the learning rate goes up and down.") LearningRateScheduleConfig learningRateSchedule,

        @Key(
                value = "Largest global gradient norm, longer gradients are scaled down; 0 for no limit.",
                byDefault = "1.0",
                min = 0)
        double gradientClipping,

        @Key("In which order gradients are summed; runs that say the same have the same bits on every layout.")
        GradientSumConfig gradientSum,

        @Key("How validation loss is measured.") ValidationConfig validation) {
    public TrainingConfig {
        Ranges.check(
                TrainingConfig.class,
                steps,
                globalBatchSize,
                microBatchSize,
                sequenceLength,
                precision,
                optimizer,
                learningRateSchedule,
                gradientClipping,
                gradientSum,
                validation);
    }

    TrainingConfig withMicroBatchSize(int sequences) {
        return new TrainingConfig(
                steps,
                globalBatchSize,
                sequences,
                sequenceLength,
                precision,
                optimizer,
                learningRateSchedule,
                gradientClipping,
                gradientSum,
                validation);
    }
}
