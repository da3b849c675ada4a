package io.penstock.engine.cli;

import io.penstock.engine.config.Config;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code penstock train}. */
@Command(name = "train", description = "Trains a model as a configuration says.", mixinStandardHelpOptions = true)
final class TrainCommand implements Callable<Integer> {
    /** @param resume {@code latest} or the path of a checkpoint */
    record Request(Config config, Optional<String> resume) {}

    private final Action<Request> action;

    @Mixin
    private ConfigArguments config = new ConfigArguments();

    @Option(names = "--resume", paramLabel = "latest|PATH", description = "Go on from a checkpoint of this run.")
    private Optional<String> resume = Optional.empty();

    TrainCommand(Action<Request> action) {
        this.action = action;
    }

    @Override
    public Integer call() throws Exception {
        action.run(new Request(config.load(), resume));
        return ExitCode.DONE.number();
    }
}
