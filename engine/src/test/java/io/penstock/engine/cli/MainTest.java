package io.penstock.engine.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.penstock.engine.cli.doctor.DoctorCommand;
import io.penstock.engine.config.yaml.ConfigException;
import io.penstock.engine.config.yaml.Place;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

final class MainTest {
    private static final String CONFIG = """
            run: {name: small}
            model: {preset: gpt2-124m}
            data: {source: text.txt}
            training: {steps: 1, global_batch_size: 1, micro_batch_size: 1, sequence_length: 8}
            """;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    private final List<Object> requests = new ArrayList<>();

    private int run(String... arguments) {
        return run(requests::add, arguments);
    }

    private int run(Action<Object> action, String... arguments) {
        CommandLine commandLine = Main.commandLine(List.of(
                new TrainCommand(action::run),
                new PlanCommand(action::run),
                new GenerateCommand(action::run),
                new EvaluateCommand(action::run),
                new InspectCommand(action::run),
                new DoctorCommand(),
                new VersionCommand()));
        commandLine.setOut(new PrintWriter(out)).setErr(new PrintWriter(err));
        return commandLine.execute(arguments);
    }

    private static Path config(Path folder) throws IOException {
        Files.writeString(folder.resolve("text.txt"), "text");
        return Files.writeString(folder.resolve("c.yaml"), CONFIG);
    }

    @Test
    void shouldHandTheConfigWithItsOverridesToTraining(@TempDir Path folder) throws IOException {
        assertEquals(
                0,
                run("train", config(folder).toString(), "--set", "training.steps=7", "--resume", "latest"),
                err::toString);
        TrainCommand.Request request = (TrainCommand.Request) requests.get(0);
        assertEquals(7, request.config().training().steps());
        assertEquals(Optional.of("latest"), request.resume());
    }

    @Test
    void shouldReportEveryProblemOfAConfigWithoutAStackTrace(@TempDir Path folder) throws IOException {
        String file = config(folder).toString();
        assertEquals(2, run("train", file, "--set", "training.steps=x", "--set", "run.nam=y"));
        assertEquals("""
                penstock: 2 problems in the input
                  --set run.nam=y: unknown key 'nam' in run, did you mean 'name'?
                  --set training.steps=x: training.steps: expected a whole number, found 'x'
                """, err.toString());
        assertEquals(List.of(), requests);
        assertEquals(2, run("--debug", "train", file, "--set", "training.steps=x"));
        assertTrue(err.toString().contains("\tat io.penstock"), err.toString());
    }

    @Test
    void shouldSuggestACommandAndAnOption() {
        assertEquals(2, run("trian", "c.yaml"));
        assertTrue(err.toString().contains("Did you mean: ") && err.toString().contains("train"), err.toString());
        assertEquals(2, run("train", "c.yaml", "--resme", "latest"));
        assertTrue(err.toString().contains("--resume"), err.toString());
        assertFalse(err.toString().contains("\tat "), err.toString());
    }

    @Test
    void shouldEndWithBadInputWithoutACommandOrItsArguments() {
        assertEquals(2, run());
        assertTrue(err.toString().contains("which command? one of train, plan, generate"), err.toString());
        assertEquals(2, run("generate", "checkpoint"));
        assertTrue(err.toString().contains("--prompt"), err.toString());
        assertEquals(2, run("generate", "checkpoint", "--prompt", "a", "--tokens", "0"));
        assertTrue(err.toString().contains("--tokens: expected at least 1, found 0"), err.toString());
        assertEquals(2, run("generate", "checkpoint", "--prompt", "a", "--temperature", "NaN"));
        assertEquals(List.of(), requests);
    }

    @Test
    void shouldEndWithTheCodeOfTheFailureOrOfItsCause() {
        ConfigException bad = new ConfigException(Place.of("data.txt:17"), "not a token");
        assertEquals(
                2,
                run(
                        request -> {
                            throw new IOException("reading", bad);
                        },
                        "inspect",
                        "x"));
        assertEquals(
                1,
                run(
                        request -> {
                            throw new IllegalStateException("oops");
                        },
                        "inspect",
                        "x"));
        assertTrue(err.toString().contains("IllegalStateException: oops (a defect of Penstock"), err.toString());
    }

    @Test
    void shouldListItsCommands() {
        assertEquals(0, run("--help"));
        assertTrue(out.toString().contains("  train "), out.toString());
        assertEquals(0, run("train", "--help"));
        assertTrue(out.toString().contains("--set=SECTION.KEY=VALUE"), out.toString());
    }

    @Test
    void shouldPrintItsVersion() {
        assertEquals(0, run("version"));
        assertTrue(out.toString().matches("(?s)penstock \\d+\\.\\d+\\.\\d+.*, JDK 25.*"), out.toString());
    }

    @Test
    void shouldPrintWhatTheDoctorFindsAsTextAndAsJson() {
        int code = run("doctor");
        assertTrue(code == 0 || code == 3, "exit " + code);
        for (String name :
                List.of("JDK", "CPU", "Cores", "Memory", "/dev/shm", "oneDNN", "GPU driver", "cuBLAS", "CUDA")) {
            assertTrue(out.toString().contains(name), () -> name + " in " + out);
        }
        assertEquals(code, run("doctor", "--json"));
        assertTrue(out.toString().contains("\"name\" : \"JDK\""), out.toString());
    }
}
