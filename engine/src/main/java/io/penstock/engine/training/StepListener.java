package io.penstock.engine.training;

import io.penstock.engine.run.StepMetrics;
import java.nio.file.Path;

/** What the trainer of rank 0 tells whoever watches a run; called on the rank's thread between steps. */
@FunctionalInterface
public interface StepListener {
    void step(StepMetrics metrics);

    /** The validation loss, in nats a token, after {@code step} steps. */
    default void validation(int step, double loss) {}

    /** A checkpoint after {@code step} steps is on disk. */
    default void checkpoint(int step, Path folder) {}
}
