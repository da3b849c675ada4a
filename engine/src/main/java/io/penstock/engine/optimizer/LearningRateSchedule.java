package io.penstock.engine.optimizer;

/**
 * Linear warm-up to {@code peak} over {@code warmupSteps}, then constant, or a cosine or linear decay to {@code finalFraction * peak} at {@code steps} (Loshchilov and
 * Hutter 2017).
 */
public record LearningRateSchedule(double peak, int warmupSteps, Decay decay, double finalFraction, int steps) {
    /** Powers of the cosine series up to this one; the rest is below 1e-17 at pi/2. */
    private static final int SERIES_TERMS = 24;

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
            case COSINE -> halfCosine(progress);
        };
        return peak * (finalFraction + (1 - finalFraction) * remaining);
    }

    /**
     * (1 + cos(pi p)) / 2 = cos(pi p / 2)^2 for p in [0, 1], by its power series: the same bits everywhere, and no allocation as in {@link StrictMath#cos}.
     */
    private static double halfCosine(double progress) {
        double square = Math.PI / 2 * progress * (Math.PI / 2 * progress);
        double cosine = 0;
        for (int power = SERIES_TERMS; power > 0; power -= 2) {
            cosine = 1 - cosine * square / (power * (power - 1.0));
        }
        return cosine * cosine;
    }
}
