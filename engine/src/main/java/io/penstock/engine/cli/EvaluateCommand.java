package io.penstock.engine.cli;

import io.penstock.engine.config.DeviceKind;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code penstock evaluate}. */
@Command(name = "evaluate", description = "Measures the loss of a checkpoint on data.", mixinStandardHelpOptions = true)
final class EvaluateCommand implements Callable<Integer> {
    /** @param data a path or the name of a data set */
    record Request(Path checkpoint, String data, boolean json, DeviceKind device) {}

    private final Action<Request> action;

    @Parameters(paramLabel = "CHECKPOINT", description = "Folder of a checkpoint.")
    @SuppressWarnings("NullAway.Init")
    private Path checkpoint;

    @Option(names = "--data", paramLabel = "PATH", required = true, description = "Text: a file, a folder, a jar.")
    private String data = "";

    @Option(names = "--json", description = "Print JSON.")
    private boolean json;

    @Option(
            names = "--device",
            paramLabel = "cpu|cuda",
            description = "Where to compute: all cores, or the first GPU (default ${DEFAULT-VALUE}).")
    private DeviceKind device = DeviceKind.CPU;

    EvaluateCommand(Action<Request> action) {
        this.action = action;
    }

    @Override
    public Integer call() throws Exception {
        action.run(new Request(checkpoint, data, json, device));
        return ExitCode.DONE.number();
    }
}
