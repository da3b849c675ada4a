package io.penstock.engine.cli;

import io.penstock.engine.config.Config;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code penstock plan}. */
@Command(
        name = "plan",
        description = "Shows how a run would lie on its ranks, without starting it.",
        mixinStandardHelpOptions = true)
final class PlanCommand implements Callable<Integer> {
    record Request(Config config, Optional<Path> html, boolean json) {}

    private final Action<Request> action;

    @Mixin
    private ConfigArguments config = new ConfigArguments();

    @Option(names = "--html", paramLabel = "FILE", description = "Write a page with the timeline.")
    private Optional<Path> html = Optional.empty();

    @Option(names = "--json", description = "Print JSON.")
    private boolean json;

    PlanCommand(Action<Request> action) {
        this.action = action;
    }

    @Override
    public Integer call() throws Exception {
        action.run(new Request(config.load(), html, json));
        return ExitCode.DONE.number();
    }
}
