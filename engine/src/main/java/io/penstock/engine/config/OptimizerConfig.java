package io.penstock.engine.config;

import io.penstock.engine.config.yaml.Key;
import io.penstock.engine.config.yaml.Ranges;
import java.util.List;

/** Section {@code training.optimizer}. */
public record OptimizerConfig(
        @Key(value = "Loshchilov and Hutter 2019.", byDefault = "adamw")
        OptimizerName name,

        @Key(value = "Highest learning rate of the schedule.", byDefault = "1.0e-3", above = 0)
        double learningRate,

        @Key(
                value = "Decay of the running mean of the gradient and of its square.",
                byDefault = "[0.9, 0.95]",
                min = 0,
                below = 1,
                size = 2)
        List<Double> betas,

        @Key(value = "Added to the root of the mean square.", byDefault = "1.0e-8", above = 0)
        double epsilon,

        @Key(
                value = "Decay a step is learning rate x this x weight, for matrices; biases and norms do not decay.",
                byDefault = "0.1",
                min = 0)
        double weightDecay) {
    public OptimizerConfig {
        betas = List.copyOf(betas);
        Ranges.check(OptimizerConfig.class, name, learningRate, betas, epsilon, weightDecay);
    }
}
