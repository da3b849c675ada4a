package io.penstock.engine.execution;

import io.penstock.engine.optimizer.LossScale;

/** Loss or gradient norm is no number any more; every rank throws it at the same step, before the update. */
public final class DivergedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    DivergedException(int step, double lossSum, double gradientNorm, LossScale scale) {
        super(
                "training diverged at step " + (step + 1) + ": loss sum " + lossSum + ", gradient norm " + gradientNorm
                        + tried(scale)
                        + "; the weights are those before this step; lower training.optimizer.learning_rate, lengthen warmup_steps or set gradient_clipping");
    }

    private static String tried(LossScale scale) {
        return scale.isDynamic()
                ? ", with the loss scale of f16 at " + scale.factor() + ", its least being " + LossScale.LEAST
                        + ", and " + scale.skippedSteps() + " steps skipped: precision bf16 does not overflow"
                : "";
    }
}
