package io.penstock.engine.cli;

import io.penstock.engine.run.StepMetrics;
import io.penstock.engine.training.StepListener;
import java.nio.file.Path;

/** Where another process tells of the run. */
final class NoListener implements StepListener {
    @Override
    public void step(StepMetrics metrics) {}

    @Override
    public void validation(int step, double loss) {}

    @Override
    public void checkpoint(int step, Path folder) {}
}
