package io.penstock.engine.config;

import io.penstock.engine.config.yaml.Key;
import io.penstock.engine.config.yaml.Ranges;
import java.util.Optional;

/** What of training a plan depends on. */
public record PlannedTraining(
        @Key(value = "Sequences a step over the whole cluster.", min = 1)
        int globalBatchSize,

        @Key(value = "Tokens of a sequence.", min = 1, max = 100000000)
        int sequenceLength,

        @Key(value = "Sequences that go through the pipeline together; the plan chooses where absent.", min = 1)
        Optional<Integer> microBatchSize,

        @Key(value = "Tokens to train on, for days and cost, such as 15e12.", above = 0)
        Optional<Double> tokens) {
    public PlannedTraining {
        Ranges.check(PlannedTraining.class, globalBatchSize, sequenceLength, microBatchSize, tokens);
    }
}
