package io.penstock.engine.run;

import java.util.Optional;

/**
 * One line of {@code metrics.jsonl}.
 *
 * @param step steps done, from 1
 * @param loss mean over the step's tokens, nats
 * @param tokens of all steps so far
 * @param gradNorm before clipping; not finite in a step that was skipped
 * @param scaled of f16 alone
 */
public record StepMetrics(
        int step,
        double loss,
        long tokens,
        double tokensPerSecond,
        double gradNorm,
        double learningRate,
        double stepSeconds,
        Optional<ScaledStep> scaled) {}
