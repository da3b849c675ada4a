package io.penstock.engine.run;

import java.io.PrintStream;
import java.time.Duration;
import java.util.Locale;

/** The line of a running training: rewritten in place on a terminal, printed every so many steps elsewhere. */
public final class Progress {
    private static final double FORGETTING = 0.1;

    private final PrintStream out;
    private final boolean terminal;
    private final int steps;
    private final int every;
    private double secondsPerStep;
    private int seen;
    /** A line in place that has no end yet. */
    private boolean pending;

    /** {@code every}: steps between lines where {@code out} is no terminal. */
    public Progress(PrintStream out, boolean terminal, int steps, int every) {
        this.out = out;
        this.terminal = terminal;
        this.steps = steps;
        this.every = every;
    }

    public void step(StepMetrics metrics) {
        smooth(metrics.stepSeconds());
        boolean last = metrics.step() == steps;
        if (terminal) {
            out.print("\r\u001b[K" + line(metrics) + (last ? System.lineSeparator() : ""));
            out.flush();
            pending = !last;
        } else if (last || metrics.step() == 1 || metrics.step() % every == 0) {
            out.println(line(metrics));
        }
    }

    /** The mean at first, then one that forgets. The first step, while code is compiled, says nothing about the others. */
    private void smooth(double seconds) {
        double weight = Math.max(FORGETTING, 1.0 / Math.max(1, seen));
        secondsPerStep = seen <= 1 ? seconds : secondsPerStep + weight * (seconds - secondsPerStep);
        seen++;
    }

    /** Ends a line in place, so that something else can be printed. */
    public void interrupt() {
        if (pending) {
            out.println();
            pending = false;
        }
    }

    private String line(StepMetrics metrics) {
        String skipped = metrics.scaled()
                .filter(ScaledStep::skipped)
                .map(scaled ->
                        String.format(Locale.ROOT, "  skipped: loss scale %.0f is too large", scaled.lossScale()))
                .orElse("");
        Duration left = Duration.ofMillis((long) (1000 * secondsPerStep * (steps - metrics.step())));
        return String.format(
                Locale.ROOT,
                "step %d/%d  loss %.4f  %,.0f tokens/s  grad norm %.3f%s  ETA %s",
                metrics.step(),
                steps,
                metrics.loss(),
                metrics.tokensPerSecond() * metrics.stepSeconds() / secondsPerStep,
                metrics.gradNorm(),
                skipped,
                words(left));
    }

    /** {@code 1h02m}, {@code 3m05s}, {@code 12s}. */
    static String words(Duration duration) {
        long seconds = duration.toSeconds();
        if (seconds >= 3600) {
            return String.format(Locale.ROOT, "%dh%02dm", seconds / 3600, seconds / 60 % 60);
        }
        return seconds >= 60 ? String.format(Locale.ROOT, "%dm%02ds", seconds / 60, seconds % 60) : seconds + "s";
    }
}
