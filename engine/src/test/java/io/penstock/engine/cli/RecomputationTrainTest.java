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

/** A run that fits only with recomputation: refused with the remedy, trained with it, the same losses. */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
final class RecomputationTrainTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private StringWriter err = new StringWriter();
    private Path folder = Path.of("");

    @BeforeEach
    void writeConfig(@TempDir Path folder) throws IOException {
        this.folder = folder;
        Files.writeString(folder.resolve("text.txt"), "What is cheap to compute need not be kept. ".repeat(50));
        Files.writeString(folder.resolve("c.yaml"), """
            run: {name: kept, directory: %s}
            model:
              architecture: gpt2
              num_hidden_layers: 4
              hidden_size: 32
              num_attention_heads: 2
              max_position_embeddings: 16
              vocab_size: 256
            data: {source: text.txt}
            training: {steps: 3, global_batch_size: 8, micro_batch_size: 2, sequence_length: 16}
            parallelism: {pipeline: 2}
            cluster: {launch: threads}
            logging: {sample_tokens: 0}
            """.formatted(folder.resolve("runs")));
    }

    private int train(String... overrides) {
        return run("train", overrides);
    }

    private int run(String command, String... overrides) {
        err = new StringWriter();
        PrintStream print = new PrintStream(out, true, StandardCharsets.UTF_8);
        List<String> arguments =
                new ArrayList<>(List.of(command, folder.resolve("c.yaml").toString()));
        for (String override : overrides) {
            arguments.addAll(List.of("--set", override));
        }
        return Main.commandLine(
                        List.of(new TrainCommand(new TrainAction(print)), new PlanCommand(new PlanAction(print))))
                .setErr(new PrintWriter(err))
                .execute(arguments.toArray(String[]::new));
    }

    private Path run(String name) {
        return folder.resolve("runs").resolve(name);
    }

    private List<Long> rankBytes(String name) throws IOException {
        List<Long> bytes = new ArrayList<>();
        for (JsonNode rank :
                JSON.readTree(run(name).resolve("plan.json").toFile()).path("ranks")) {
            bytes.add(rank.path("memory_bytes").path("total").asLong());
        }
        return bytes;
    }

    private List<String> losses(String name) throws IOException {
        List<String> losses = new ArrayList<>();
        for (String line : Files.readAllLines(run(name).resolve("metrics.jsonl"))) {
            JsonNode step = JSON.readTree(line);
            losses.add(step.path("loss") + " " + step.path("validation_loss") + " " + step.path("grad_norm"));
        }
        return losses;
    }

    @Test
    void shouldTrainWithinAMemoryThatNeedsIt() throws IOException {
        assertEquals(0, train(), () -> err.toString());
        long limit = rankBytes("kept").getFirst() - 10_000;
        String capped = "cluster.memory_per_rank=" + limit;
        assertEquals(3, train("run.name=refused", capped), () -> err.toString());
        assertTrue(err.toString().contains("use activation_checkpointing: auto"), err.toString());
        assertEquals(
                0, train("run.name=auto", capped, "parallelism.activation_checkpointing=auto"), () -> err.toString());
        assertTrue(rankBytes("auto").stream().allMatch(bytes -> bytes <= limit), rankBytes("auto") + " " + limit);
        String config = Files.readString(run("auto").resolve("config.yaml"));
        assertTrue(config.matches("(?s).*activation_checkpointing: \\[[a-z, ]*(selective|full)[a-z, ]*].*"), config);
        assertTrue(
                out.toString(StandardCharsets.UTF_8).contains(", recomputes "), out.toString(StandardCharsets.UTF_8));
        assertEquals(losses("kept"), losses("auto"));
    }

    @Test
    void shouldPlanWithinAMemoryThatNeedsIt() throws IOException {
        System.setProperty("penstock.cache", folder.toString());
        assertEquals(0, train(), () -> err.toString());
        String capped = "cluster.memory_per_rank=" + (rankBytes("kept").getFirst() - 10_000);
        assertEquals(3, run("plan", capped), () -> err.toString());
        assertTrue(err.toString().contains("it would fit with one of: "), err.toString());
        assertTrue(err.toString().contains("activation_checkpointing auto"), err.toString());
        out.reset();
        String pipeline = "parallelism={auto: true, pipeline: 2, schedule: 1f1b}";
        assertEquals(0, run("plan", capped, pipeline), () -> err.toString());
        String text = out.toString(StandardCharsets.UTF_8);
        assertTrue(text.contains("of 4 layers recomputed") || text.contains("of 4 selectively"), text);
    }

    @Test
    void shouldRecomputeAsTheListSays() throws IOException {
        assertEquals(0, train(), () -> err.toString());
        assertEquals(
                0,
                train("run.name=listed", "parallelism.activation_checkpointing=[full, none, selective, full]"),
                () -> err.toString());
        List<String> recomputed = new ArrayList<>();
        for (JsonNode rank :
                JSON.readTree(run("listed").resolve("plan.json").toFile()).path("ranks")) {
            rank.path("stages")
                    .forEach(stage -> stage.path("recomputation").forEach(word -> recomputed.add(word.asText())));
        }
        assertEquals(List.of("none", "full", "none", "selective", "full", "none"), recomputed);
        assertEquals(losses("kept"), losses("listed"));
    }
}
