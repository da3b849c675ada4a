package io.penstock.engine.run;

import io.penstock.engine.config.DeviceKind;
import io.penstock.engine.training.StepListener;
import io.penstock.tensor.cuda.Nvml;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** Writes metrics and shows progress: what rank 0 does with what its trainer tells it. */
public final class RunReporter implements StepListener, AutoCloseable {
    private final MetricsLog metrics;
    private final TensorBoardLog tensorBoard;
    private final Progress progress;
    private final PrintStream out;
    private final Optional<Nvml> nvml;

    private RunReporter(
            MetricsLog metrics, TensorBoardLog tensorBoard, Progress progress, PrintStream out, Optional<Nvml> nvml) {
        this.metrics = metrics;
        this.tensorBoard = tensorBoard;
        this.progress = progress;
        this.out = out;
        this.nvml = nvml;
    }

    /** Continues the run's metrics after {@code stepsDone} steps, and begins an event file of its own. NVML tells of {@code device} cuda. */
    public static RunReporter open(
            RunDirectory directory, int stepsDone, Progress progress, PrintStream out, DeviceKind device)
            throws IOException {
        Optional<Nvml> nvml = device == DeviceKind.CUDA ? Nvml.open() : Optional.empty();
        MetricsLog metrics = MetricsLog.open(
                directory.metrics(), stepsDone, () -> nvml.map(Nvml::read).orElse(List.of()));
        return new RunReporter(
                metrics, TensorBoardLog.create(directory.tensorBoard(), (long) now()), progress, out, nvml);
    }

    private static double now() {
        return System.currentTimeMillis() / 1e3;
    }

    @Override
    public void step(StepMetrics step) {
        try {
            metrics.step(step);
            double now = now();
            tensorBoard.scalar("train/loss", step.step(), step.loss(), now);
            tensorBoard.scalar("train/grad_norm", step.step(), step.gradNorm(), now);
            tensorBoard.scalar("train/learning_rate", step.step(), step.learningRate(), now);
            tensorBoard.scalar("train/tokens_per_second", step.step(), step.tokensPerSecond(), now);
            if (step.scaled().isPresent()) {
                tensorBoard.scalar(
                        "train/loss_scale", step.step(), step.scaled().get().lossScale(), now);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        progress.step(step);
    }

    @Override
    public void validation(int step, double loss) {
        try {
            metrics.validation(step, loss);
            tensorBoard.scalar("validation/loss", step, loss, now());
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
            tensorBoard.close();
            nvml.ifPresent(Nvml::close);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
