package io.penstock.engine.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

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
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A schedule and a split written by hand, through {@code plan}, {@code train} and {@code parallelism: auto}. */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
final class GivenPlanTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final StringWriter err = new StringWriter();
    private Path folder = Path.of("");

    @BeforeEach
    void write(@TempDir Path folder) throws IOException {
        this.folder = folder;
        System.setProperty("penstock.cache", folder.toString());
        Files.writeString(folder.resolve("text.txt"), "A schedule is data. ".repeat(80));
        Files.writeString(folder.resolve("mine.txt"), """
                name: mine
                micro-batches: 4
                stages 0: F0 F1 F2 B0 F3 B1 B2 B3
                stages 1: F0 I0 F1 W0 F2 I1 I2 W1 F3 I3 W2 W3
                """);
        Files.writeString(folder.resolve("c.yaml"), """
                run: {name: small, directory: %s}
                model:
                  architecture: gpt2
                  num_hidden_layers: 2
                  hidden_size: 32
                  num_attention_heads: 2
                  max_position_embeddings: 16
                  vocab_size: 256
                data: {source: text.txt, validation_fraction: 0.1}
                training: {steps: 2, global_batch_size: 8, micro_batch_size: 2, sequence_length: 16}
                parallelism: {pipeline: 2, schedule_file: mine.txt, split: [1, 3]}
                cluster: {launch: threads}
                logging: {sample_tokens: 0}
                """.formatted(folder.resolve("runs")));
    }

    private int run(String command, String... more) {
        List<String> arguments =
                new ArrayList<>(List.of(command, folder.resolve("c.yaml").toString()));
        arguments.addAll(List.of(more));
        out.reset();
        PrintStream stream = new PrintStream(out, true, StandardCharsets.UTF_8);
        return Main.commandLine(
                        List.of(new TrainCommand(new TrainAction(stream)), new PlanCommand(new PlanAction(stream))))
                .setErr(new PrintWriter(err))
                .execute(arguments.toArray(String[]::new));
    }

    private String text() {
        return out.toString(StandardCharsets.UTF_8);
    }

    private List<Double> losses(String run) throws IOException {
        List<Double> losses = new ArrayList<>();
        for (String line :
                Files.readAllLines(folder.resolve("runs").resolve(run).resolve("metrics.jsonl"))) {
            JsonNode step = JSON.readTree(line);
            if (step.has("loss")) {
                losses.add(step.path("loss").asDouble());
            }
        }
        return losses;
    }

    @Test
    void shouldTrainInTheGivenOrderToTheSameLosses() throws IOException {
        assertEquals(0, run("train"), err::toString);
        assertTrue(text().contains("schedule mine"), text());
        JsonNode plan = JSON.readTree(folder.resolve("runs/small/plan.json").toFile());
        assertEquals("mine", plan.path("schedule").asText());
        assertEquals(
                1,
                plan.path("ranks").get(0).path("stages").get(0).path("layers").size());
        assertEquals(0, run("train", "--set", "parallelism={pipeline: 1}", "--set", "run.name=alone"), err::toString);
        assertEquals(2, losses("small").size());
        assertEquals(losses("alone"), losses("small"));
    }

    @Test
    void shouldPlanIt() throws IOException {
        assertEquals(0, run("plan", "--json"), err::toString);
        JsonNode plan = JSON.readTree(text());
        assertEquals("mine", plan.path("schedule").asText());
        assertEquals(2, plan.path("micro_batch_size").asInt());
    }

    @Test
    void shouldLeaveOnlyWhatIsFreeToAuto() throws IOException {
        assertEquals(
                0,
                run(
                        "plan",
                        "--json",
                        "--set",
                        "parallelism={auto: true, schedule_file: " + folder.resolve("mine.txt") + "}",
                        "--set",
                        "training.micro_batch_size=0"),
                err::toString);
        JsonNode best = JSON.readTree(text()).path("best");
        assertEquals(1, best.size());
        assertEquals("mine", best.get(0).path("schedule").asText());
        assertEquals(2, best.get(0).path("micro_batch_size").asInt());
        assertEquals(0, run("plan", "--json", "--set", "parallelism={auto: true, split: [2, 2]}"), err::toString);
        for (JsonNode each : JSON.readTree(text()).path("best")) {
            assertEquals(2, each.path("pipeline").asInt() * each.path("chunks").asInt());
        }
    }

    @Test
    void shouldRefuseADeadlockBeforeAnythingStarts() throws IOException {
        Files.writeString(folder.resolve("mine.txt"), """
                micro-batches: 4
                stages 0: F0 B0 F1 B1 F2 B2 F3 B3
                stages 1: F1 F0 B0 B1 F2 B2 F3 B3
                """);
        assertEquals(2, run("train"));
        assertTrue(err.toString().contains("mine.txt:3:1: rank 1 instruction 0"), err.toString());
        assertTrue(Files.notExists(folder.resolve("runs/small")));
    }
}
