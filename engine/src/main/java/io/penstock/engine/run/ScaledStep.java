package io.penstock.engine.run;

/**
 * What a step of f16 says of its loss scale.
 *
 * @param lossScale that its gradients were multiplied by
 * @param skipped whether they overflowed, and the weights are those before the step
 * @param skippedSteps of the run so far
 */
public record ScaledStep(double lossScale, boolean skipped, int skippedSteps) {}
