package io.penstock.engine.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A run in f16 from the command line: what it says of its loss scale, and that it goes on with it from a checkpoint. */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
final class F16TrainTest extends CommandTest {
    @BeforeEach
    void writeConfig() throws IOException {
        write("Small gradients are numbers too. ".repeat(60), "whole", 2, """
                data: {source: text.txt}
                training: {steps: 4, global_batch_size: 8, micro_batch_size: 2, sequence_length: 16, precision: f16}
                parallelism: {pipeline: 2}
                checkpoint: {every: 2}
                """);
    }

    private void train(String... arguments) {
        assertEquals(0, runConfig("train", arguments), err::toString);
    }

    private JsonNode scale(String run) throws IOException {
        Path checkpoint = folder.resolve("runs").resolve(run).resolve("checkpoints/step-000004");
        return JSON.readTree(checkpoint.resolve("manifest.json").toFile()).path("loss_scale");
    }

    @Test
    void shouldTellItsLossScaleAndGoOnWithIt() throws IOException {
        train();
        List<JsonNode> steps = steps("whole");
        assertEquals(4, steps.size());
        for (JsonNode step : steps) {
            assertEquals(65536, step.path("loss_scale").asLong(), step.toString());
            assertTrue(step.path("skipped").isBoolean() && !step.path("skipped").asBoolean(), step.toString());
            assertEquals(0, step.path("skipped_steps").asInt(-1), step.toString());
        }
        assertTrue(
                steps.getLast().path("loss").asDouble()
                        < steps.getFirst().path("loss").asDouble(),
                steps.toString());
        assertEquals(JSON.readTree("{\"scale\":65536,\"good_steps\":4,\"skipped_steps\":0}"), scale("whole"));
        // by a link, for a path inside a run's folder goes on in that run
        Path link = folder.resolve("step-2");
        Files.createSymbolicLink(link, folder.resolve("runs/whole/checkpoints/step-000002"));
        train("--set", "run.name=half", "--set", "parallelism.pipeline=1", "--resume", link.toString());
        assertEquals(scale("whole"), scale("half"));
        List<JsonNode> rest = steps("half");
        for (int i = 0; i < 2; i++) {
            assertEquals(steps.get(2 + i).path("loss"), rest.get(i).path("loss"));
            assertEquals(steps.get(2 + i).path("grad_norm"), rest.get(i).path("grad_norm"));
        }
    }
}
