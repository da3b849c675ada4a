package io.penstock.engine.run;

import io.penstock.engine.training.StepListener;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Locale;

/** Writes metrics and shows progress: what rank 0 does with what its trainer tells it. */
public final class RunReporter implements StepListener, AutoCloseable {
    private final MetricsLog metrics;
    private final Progress progress;
    private final PrintStream out;

    public RunReporter(MetricsLog metrics, Progress progress, PrintStream out) {
        this.metrics = metrics;
        this.progress = progress;
        this.out = out;
    }

    @Override
    public void step(StepMetrics step) {
        try {
            metrics.step(step);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        progress.step(step);
    }

    @Override
    public void validation(int step, double loss) {
        try {
            metrics.validation(step, loss);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        progress.interrupt();
        out.printf(Locale.ROOT, "validation after step %d: loss %.4f%n", step, loss);
    }

    @Override
    public void checkpoint(int step, Path folder) {
        progress.interrupt();
        out.printf(Locale.ROOT, "checkpoint after step %d: %s%n", step, folder);
    }

    @Override
    public void close() {
        try {
            metrics.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
