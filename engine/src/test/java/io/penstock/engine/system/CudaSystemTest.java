package io.penstock.engine.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.penstock.tensor.cuda.CudaProbe;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code device: cuda} where it cannot be had, and that who does not ask for it never meets JCuda. */
@Tag("system")
@Timeout(value = 120, unit = TimeUnit.SECONDS)
final class CudaSystemTest {
    @Test
    void shouldSayWhatCudaLacksAndEndWithThree(@TempDir Path folder) throws IOException {
        Running run = Sandbox.in(folder)
                .start(Sandbox.train("run.name=cuda", "cluster.device=cuda"))
                .end(3);
        String expected = CudaProbe.report().problem().orElse("");
        Assumptions.assumeFalse(expected.isEmpty(), "this machine has a GPU");
        assertTrue(run.err().contains("penstock: cluster.device: cuda"), run.err());
        assertTrue(run.err().contains(expected), run.err());
        assertFalse(Files.exists(folder.resolve("runs")), "a run that could not start left a folder");
    }

    @Test
    void shouldSayWhatGenerateAndEvaluateLack(@TempDir Path folder) throws IOException {
        String expected = CudaProbe.report().problem().orElse("");
        Assumptions.assumeFalse(expected.isEmpty(), "this machine has a GPU");
        Sandbox sandbox = Sandbox.in(folder);
        for (List<String> command :
                List.of(List.of("generate", "model", "--prompt", "a"), List.of("evaluate", "model", "--data", "a"))) {
            List<String> arguments = new ArrayList<>(command);
            arguments.addAll(List.of("--device", "cuda"));
            Running run = sandbox.start(arguments.toArray(String[]::new)).end(3);
            assertTrue(run.err().contains("penstock: --device cuda cannot be used here: " + expected), run.err());
        }
        Running run = sandbox.start("generate", "model", "--prompt", "a", "--device", "tpu")
                .end(2);
        assertTrue(run.err().contains("--device") && run.err().contains("[CPU, CUDA] (case-insensitive)"), run.err());
    }

    @Test
    void shouldNotLoadJCudaOnTheCpu(@TempDir Path folder) throws IOException {
        Path log = folder.resolve("classes.txt");
        Sandbox.in(folder)
                .start(
                        Map.of("JAVA_TOOL_OPTIONS", "-Xlog:class+load:file=" + log),
                        Sandbox.train("run.name=cpu", "cluster.launch=threads", "training.steps=2"))
                .end(0);
        List<String> classes = Files.readAllLines(log);
        assertTrue(classes.stream().anyMatch(line -> line.contains("io.penstock.tensor.cpu.CpuBackend ")), "no log");
        assertEquals(
                List.of(),
                classes.stream()
                        .filter(line -> line.contains(" jcuda.") || line.contains("CudaBackend"))
                        .toList());
    }
}
