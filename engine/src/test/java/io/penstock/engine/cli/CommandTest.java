package io.penstock.engine.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;

/** Commands in this JVM, in a folder with a text and the config of a small run. */
abstract class CommandTest {
    static final Path HOME = Path.of(System.getProperty("penstock.home", ".."));
    static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    Path folder = Path.of("");

    /** The config's path. */
    String config = "";

    /** What the last command said of errors. */
    StringWriter err = new StringWriter();

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    /** Writes the text and a config of GPT-2 with so many layers of 32; {@code sections} are those that the tests are about. */
    final void write(String text, String run, int layers, String sections) throws IOException {
        write(text, """
                run: {name: %s, directory: RUNS}
                model:
                  architecture: gpt2
                  num_hidden_layers: %d
                  hidden_size: 32
                  num_attention_heads: 2
                  max_position_embeddings: 16
                  vocab_size: 256
                cluster: {launch: threads}
                logging: {sample_tokens: 0}
                """.formatted(run, layers) + sections);
    }

    /** Writes the text and the config; {@code RUNS} is the folder of runs. */
    final void write(String text, String yaml) throws IOException {
        System.setProperty("penstock.cache", folder.toString());
        Files.writeString(folder.resolve("text.txt"), text);
        config = Files.writeString(
                        folder.resolve("c.yaml"),
                        yaml.replace("RUNS", folder.resolve("runs").toString()))
                .toString();
    }

    /** Returns the exit code. */
    final int run(String... arguments) {
        out.reset();
        err = new StringWriter();
        PrintStream stream = new PrintStream(out, true, StandardCharsets.UTF_8);
        return Main.commandLine(List.of(
                        new TrainCommand(new TrainAction(stream)),
                        new PlanCommand(new PlanAction(stream)),
                        new InspectCommand(new InspectAction(stream))))
                .setErr(new PrintWriter(err))
                .execute(arguments);
    }

    /** {@code command} of the written config. */
    final int runConfig(String command, String... more) {
        return run(Stream.concat(Stream.of(command, config), Stream.of(more)).toArray(String[]::new));
    }

    /** What the last command printed. */
    final String text() {
        return out.toString(StandardCharsets.UTF_8);
    }

    final Path runFolder(String name) {
        return folder.resolve("runs").resolve(name);
    }

    /** The lines of a run's metrics.jsonl that are of training steps. */
    final List<JsonNode> steps(String run) throws IOException {
        List<JsonNode> steps = new ArrayList<>();
        for (String line : Files.readAllLines(runFolder(run).resolve("metrics.jsonl"))) {
            JsonNode step = JSON.readTree(line);
            if (step.has("loss")) {
                steps.add(step);
            }
        }
        return steps;
    }
}
