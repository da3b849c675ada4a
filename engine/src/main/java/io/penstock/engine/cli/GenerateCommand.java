package io.penstock.engine.cli;

import io.penstock.engine.config.DeviceKind;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code penstock generate}. */
@Command(name = "generate", description = "Continues a text with a trained model.", mixinStandardHelpOptions = true)
final class GenerateCommand implements Callable<Integer> {
    /**
     * @param tokens to make, at least 1
     * @param temperature 0 takes the likeliest token each time
     */
    record Request(Path checkpoint, String prompt, int tokens, double temperature, long seed, DeviceKind device) {}

    private final Action<Request> action;

    @Spec
    @SuppressWarnings("NullAway.Init")
    private CommandSpec spec;

    @Parameters(paramLabel = "CHECKPOINT", description = "Folder of a checkpoint.")
    @SuppressWarnings("NullAway.Init")
    private Path checkpoint;

    @Option(names = "--prompt", paramLabel = "TEXT", required = true, description = "Text to continue.")
    private String prompt = "";

    @Option(names = "--tokens", paramLabel = "N", description = "Tokens to make (default ${DEFAULT-VALUE}).")
    private int tokens = 200;

    @Option(
            names = "--temperature",
            paramLabel = "T",
            description = "0 takes the likeliest token, 1 the model's own distribution (default ${DEFAULT-VALUE}).")
    private double temperature = 0.8;

    @Option(names = "--seed", paramLabel = "S", description = "Seed of the draw (default ${DEFAULT-VALUE}).")
    private long seed = 1;

    @Option(
            names = "--device",
            paramLabel = "cpu|cuda",
            description = "Where to compute: all cores, or the first GPU (default ${DEFAULT-VALUE}).")
    private DeviceKind device = DeviceKind.CPU;

    GenerateCommand(Action<Request> action) {
        this.action = action;
    }

    @Override
    public Integer call() throws Exception {
        CommandLine command = spec.commandLine();
        if (tokens < 1) {
            throw new ParameterException(command, "--tokens: expected at least 1, found " + tokens);
        }
        if (!(temperature >= 0) || Double.isInfinite(temperature)) {
            throw new ParameterException(command, "--temperature: expected at least 0, found " + temperature);
        }
        action.run(new Request(checkpoint, prompt, tokens, temperature, seed, device));
        return ExitCode.DONE.number();
    }
}
