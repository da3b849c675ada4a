package io.penstock.engine.execution;

/** Loss or gradient norm is no number any more; every rank throws it at the same step, before the update. */
public final class DivergedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    DivergedException(int step, double lossSum, double gradientNorm) {
        super(
                "training diverged at step " + (step + 1) + ": loss sum " + lossSum + ", gradient norm " + gradientNorm
                        + "; the weights are those before this step; lower training.optimizer.learning_rate, lengthen warmup_steps or set gradient_clipping");
    }
}
