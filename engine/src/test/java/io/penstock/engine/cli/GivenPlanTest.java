package io.penstock.engine.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A schedule and a split written by hand, through {@code plan}, {@code train} and {@code parallelism: auto}. */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
final class GivenPlanTest extends CommandTest {
    @BeforeEach
    void writeConfig() throws IOException {
        Files.writeString(folder.resolve("mine.txt"), """
                name: mine
                micro-batches: 4
                stages 0: F0 F1 F2 B0 F3 B1 B2 B3
                stages 1: F0 I0 F1 W0 F2 I1 I2 W1 F3 I3 W2 W3
                """);
        write("A schedule is data. ".repeat(80), "small", 2, """
                data: {source: text.txt, validation_fraction: 0.1}
                training: {steps: 2, global_batch_size: 8, micro_batch_size: 2, sequence_length: 16}
                parallelism: {pipeline: 2, schedule_file: mine.txt, split: [1, 3]}
                """);
    }

    private List<Double> losses(String run) throws IOException {
        return steps(run).stream().map(step -> step.path("loss").asDouble()).toList();
    }

    @Test
    void shouldTrainInTheGivenOrderToTheSameLosses() throws IOException {
        assertEquals(0, runConfig("train"), err::toString);
        assertTrue(text().contains("schedule mine"), text());
        JsonNode plan = JSON.readTree(folder.resolve("runs/small/plan.json").toFile());
        assertEquals("mine", plan.path("schedule").asText());
        assertEquals(
                1,
                plan.path("ranks").get(0).path("stages").get(0).path("layers").size());
        assertEquals(
                0, runConfig("train", "--set", "parallelism={pipeline: 1}", "--set", "run.name=alone"), err::toString);
        assertEquals(2, losses("small").size());
        assertEquals(losses("alone"), losses("small"));
    }

    @Test
    void shouldPlanIt() throws IOException {
        assertEquals(0, runConfig("plan", "--json"), err::toString);
        JsonNode plan = JSON.readTree(text());
        assertEquals("mine", plan.path("schedule").asText());
        assertEquals(2, plan.path("micro_batch_size").asInt());
    }

    @Test
    void shouldLeaveOnlyWhatIsFreeToAuto() throws IOException {
        assertEquals(
                0,
                runConfig(
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
        assertEquals(0, runConfig("plan", "--json", "--set", "parallelism={auto: true, split: [2, 2]}"), err::toString);
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
        assertEquals(2, runConfig("train"));
        assertTrue(err.toString().contains("mine.txt:3:1: rank 1 instruction 0"), err.toString());
        assertTrue(Files.notExists(folder.resolve("runs/small")));
    }
}
