package io.penstock.engine;

import io.penstock.engine.run.StepMetrics;
import io.penstock.engine.training.StepListener;
import java.nio.file.Path;
import java.util.List;

/** Several as one, in order. */
record Listeners(List<StepListener> all) implements StepListener {
    @Override
    public void step(StepMetrics metrics) {
        all.forEach(listener -> listener.step(metrics));
    }

    @Override
    public void validation(int step, double loss) {
        all.forEach(listener -> listener.validation(step, loss));
    }

    @Override
    public void checkpoint(int step, Path folder) {
        all.forEach(listener -> listener.checkpoint(step, folder));
    }
}
