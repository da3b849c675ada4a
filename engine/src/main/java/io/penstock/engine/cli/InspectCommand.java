package io.penstock.engine.cli;

import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code penstock inspect}. */
@Command(
        name = "inspect",
        description = "Shows what is in a run, a checkpoint or a weights file.",
        mixinStandardHelpOptions = true)
final class InspectCommand implements Callable<Integer> {
    record Request(Path path, boolean json) {}

    private final Action<Request> action;

    @Parameters(paramLabel = "PATH", description = "A run folder, a checkpoint or a safetensors file.")
    @SuppressWarnings("NullAway.Init")
    private Path path;

    @Option(names = "--json", description = "Print JSON.")
    private boolean json;

    InspectCommand(Action<Request> action) {
        this.action = action;
    }

    @Override
    public Integer call() throws Exception {
        action.run(new Request(path, json));
        return ExitCode.DONE.number();
    }
}
