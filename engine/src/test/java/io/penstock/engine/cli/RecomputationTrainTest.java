package io.penstock.engine.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A run that fits only with recomputation: refused with the remedy, trained with it, the same losses. */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
final class RecomputationTrainTest extends CommandTest {
    @BeforeEach
    void writeConfig() throws IOException {
        write("What is cheap to compute need not be kept. ".repeat(50), "kept", 4, """
                data: {source: text.txt}
                training: {steps: 3, global_batch_size: 8, micro_batch_size: 2, sequence_length: 16}
                parallelism: {pipeline: 2}
                """);
    }

    private int train(String... overrides) {
        return command("train", overrides);
    }

    private int command(String command, String... overrides) {
        return runConfig(
                command,
                Stream.of(overrides)
                        .flatMap(override -> Stream.of("--set", override))
                        .toArray(String[]::new));
    }

    private List<Long> rankBytes(String name) throws IOException {
        List<Long> bytes = new ArrayList<>();
        for (JsonNode rank :
                JSON.readTree(runFolder(name).resolve("plan.json").toFile()).path("ranks")) {
            bytes.add(rank.path("memory_bytes").path("total").asLong());
        }
        return bytes;
    }

    private List<String> losses(String name) throws IOException {
        List<String> losses = new ArrayList<>();
        for (String line : Files.readAllLines(runFolder(name).resolve("metrics.jsonl"))) {
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
        String config = Files.readString(runFolder("auto").resolve("config.yaml"));
        assertTrue(config.matches("(?s).*activation_checkpointing: \\[[a-z, ]*(selective|full)[a-z, ]*].*"), config);
        assertTrue(text().contains(", recomputes "), text());
        assertEquals(losses("kept"), losses("auto"));
    }

    @Test
    void shouldPlanWithinAMemoryThatNeedsIt() throws IOException {
        assertEquals(0, train(), () -> err.toString());
        String capped = "cluster.memory_per_rank=" + (rankBytes("kept").getFirst() - 10_000);
        assertEquals(3, command("plan", capped), () -> err.toString());
        assertTrue(err.toString().contains("it would fit with one of: "), err.toString());
        assertTrue(err.toString().contains("activation_checkpointing auto"), err.toString());
        String pipeline = "parallelism={auto: true, pipeline: 2, schedule: 1f1b}";
        assertEquals(0, command("plan", capped, pipeline), () -> err.toString());
        String text = text();
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
                JSON.readTree(runFolder("listed").resolve("plan.json").toFile()).path("ranks")) {
            rank.path("stages")
                    .forEach(stage -> stage.path("recomputation").forEach(word -> recomputed.add(word.asText())));
        }
        assertEquals(List.of("none", "full", "none", "selective", "full", "none"), recomputed);
        assertEquals(losses("kept"), losses("listed"));
    }
}
