package io.penstock.engine.cli;

import io.penstock.engine.config.Config;
import io.penstock.engine.config.PlanningConfig;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code penstock plan}. */
@Command(
        name = "plan",
        description = "Shows how a run would lie on its ranks, how fast and at what cost, without starting it.",
        mixinStandardHelpOptions = true)
final class PlanCommand implements Callable<Integer> {
    /** What is planned for. */
    sealed interface Subject {}

    /** A run on this machine. */
    record Run(Config config) implements Subject {}

    /** A described cluster. */
    record Elsewhere(PlanningConfig config) implements Subject {}

    /**
     * @param tokens to train on; the run's own steps where absent
     * @param pricePerHour of a device
     * @param calibrate measure this machine first, even if a measurement is there
     */
    record Request(
            Subject subject,
            Optional<Path> html,
            boolean json,
            Optional<Double> tokens,
            Optional<Double> pricePerHour,
            boolean calibrate) {}

    private final Action<Request> action;

    @Spec
    @SuppressWarnings("NullAway.Init")
    private CommandSpec spec;

    @Mixin
    private ConfigArguments config = new ConfigArguments();

    @Option(names = "--html", paramLabel = "FILE", description = "Write a page with the timeline.")
    private Optional<Path> html = Optional.empty();

    @Option(names = "--json", description = "Print JSON.")
    private boolean json;

    @Option(names = "--tokens", paramLabel = "N", description = "Tokens to train on, such as 15e12: for days and cost.")
    private Optional<Double> tokens = Optional.empty();

    @Option(names = "--price-per-hour", paramLabel = "P", description = "Price of one device for one hour.")
    private Optional<Double> pricePerHour = Optional.empty();

    @Option(names = "--calibrate", description = "Time the model's layers on this machine first; kept for later plans.")
    private boolean calibrate;

    PlanCommand(Action<Request> action) {
        this.action = action;
    }

    @Override
    public Integer call() throws Exception {
        positive("--tokens", tokens);
        positive("--price-per-hour", pricePerHour);
        Subject subject = config.isPlanning() ? new Elsewhere(config.loadPlanning()) : new Run(config.load());
        action.run(new Request(subject, html, json, tokens, pricePerHour, calibrate));
        return ExitCode.DONE.number();
    }

    private void positive(String option, Optional<Double> value) {
        if (value.isPresent() && !(value.get() > 0 && Double.isFinite(value.get()))) {
            throw new ParameterException(
                    spec.commandLine(), option + ": expected a number above 0, found " + value.get());
        }
    }
}
