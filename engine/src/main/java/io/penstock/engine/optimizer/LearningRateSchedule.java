package io.penstock.engine.optimizer;

/**
 * Linear warm-up to {@code peak} over {@code warmupSteps}, then constant, or a cosine or linear decay to {@code finalFraction * peak} at {@code steps} (Loshchilov and
 * Hutter 2017).
 */
public record LearningRateSchedule(double peak, int warmupSteps, Decay decay, double finalFraction, int steps) {
    /** Words of {@code learning_rate_schedule.decay}. */
    public enum Decay {
        CONSTANT,
        LINEAR,
        COSINE
    }

    /** Of step {@code step}, counted from 0. */
    public double at(int step) {
        if (step < warmupSteps) {
            return peak * (step + 1) / warmupSteps;
        }
        double span = Math.max(1, steps - warmupSteps);
        double progress = Math.min(1, (step - warmupSteps) / span);
        double remaining = switch (decay) {
            case CONSTANT -> 1;
            case LINEAR -> 1 - progress;
            case COSINE -> 0.5 * (1 + StrictMath.cos(Math.PI * progress));
        };
        return peak * (finalFraction + (1 - finalFraction) * remaining);
    }
}
