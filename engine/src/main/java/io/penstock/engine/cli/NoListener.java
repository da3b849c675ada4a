package io.penstock.engine.cli;

import io.penstock.engine.run.StepMetrics;
import io.penstock.engine.training.StepListener;

/** Where another process tells of the run. */
final class NoListener implements StepListener {
    @Override
    public void step(StepMetrics metrics) {}
}
