package io.penstock.engine.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.penstock.tensor.cuda.StandInMachine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code parallelism: auto} with {@code device: cuda}, on two GPUs that are played by the host: measured once, kept, and trained in what was chosen. */
@Tag("system")
@Timeout(value = 120, unit = TimeUnit.SECONDS)
final class CudaAutoSystemTest {
    private static final Pattern TAKEN = Pattern.compile("parallelism: auto takes (.*) \\(times by (.*)\\)");

    @TempDir
    private Path folder;

    private long kept() throws IOException {
        try (Stream<Path> files = Files.list(folder.resolve("cache/calibration"))) {
            return files.count();
        }
    }

    @Test
    void shouldTimeTheGpuOnceChooseByItAndTrain() throws Exception {
        Map<String, String> machine =
                new TreeMap<>(StandInMachine.variables(Files.createDirectory(folder.resolve("libraries"))));
        machine.put("JAVA_TOOL_OPTIONS", "-Dpenstock.cache=" + folder.resolve("cache"));
        machine.put("PENSTOCK_STAND_IN_DEVICES", "2");
        Sandbox sandbox = Sandbox.in(folder);
        String given = "parallelism={auto: true, pipeline: 2, schedule: gpipe, activation_checkpointing: none}";
        CudaRuns runs = new CudaRuns(sandbox, machine);
        runs.train("free", "cuda", "parallelism=auto");
        runs.train("bound", "cuda", given);
        runs.plan("planned", "cuda", "parallelism=auto", "--json");
        String out = runs.start().end(0).out();
        Matcher taken = TAKEN.matcher(out);
        assertTrue(taken.find(), out);
        assertEquals("layers timed on Stand-in GPU", taken.group(2));
        assertTrue(taken.find() && taken.group(1).startsWith("pipeline 2, gpipe, micro-batch 2"), out);
        // layers and messages: timed for the first run, kept for all others
        assertEquals(2, kept());
        JsonNode plan = new ObjectMapper().readTree(out.substring(out.indexOf("\n{") + 1));
        assertEquals("layers timed on Stand-in GPU", plan.path("times_by").asText());
        assertTrue(plan.path("best").size() > 2, plan::toString);
        assertEquals(
                CudaRuns.STEPS,
                Files.readAllLines(sandbox.run("bound").resolve("metrics.jsonl")).stream()
                        .filter(line -> line.contains("\"loss\""))
                        .count());
    }
}
