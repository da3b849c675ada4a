package io.penstock.engine.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.penstock.tensor.cuda.StandInMachine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Whole runs with {@code device: cuda} on a GPU that is played by the host: real JCuda on stand-ins for the driver and cuBLAS, whose streams do their work as late as they may. What
 * they compute is held against runs on the CPU.
 */
@Tag("system")
@Timeout(value = 180, unit = TimeUnit.SECONDS)
final class CudaTrainingSystemTest {
    /** The driver gives times as floats, and the two clocks are read one after the other. */
    private static final long SLACK_NS = 200_000;

    private static final String CUBE =
            "parallelism={pipeline: 2, tensor: 2, data: 2, schedule: 1f1b, sequence_parallel: true}";

    @TempDir
    static Path libraries = Path.of("");

    private static Map<String, String> machine = Map.of();

    @BeforeAll
    static void standIn() throws IOException, InterruptedException {
        machine = StandInMachine.variables(libraries);
    }

    @Test
    void shouldRefuseWhatTheCardHasNoRoomFor(@TempDir Path folder) throws IOException {
        Running run = Sandbox.in(folder)
                .start(
                        machine,
                        Sandbox.train("cluster.device=cuda", "model.hidden_size=2048", "parallelism={pipeline: 1}"))
                .end(3);
        assertTrue(
                run.err().contains(" bytes (") && run.err().contains("its share of the GPU is 1020054732"), run.err());
        assertTrue(
                run.err()
                        .contains(
                                "activation_checkpointing: auto, offload with cluster.offload_store.kind: host, more"),
                run.err());
    }

    @Test
    void shouldTrainAsTheCpuDoes(@TempDir Path folder) throws IOException {
        CudaRuns runs = new CudaRuns(Sandbox.in(folder), machine);
        String one = "parallelism={pipeline: 1}";
        String half = "training.precision=bf16";
        String binary16 = "training.precision=f16";
        runs.train("cpu", "cpu", one);
        runs.train("gpu", "cuda", one, "logging.sample_tokens=2");
        runs.train("again", "cuda", one);
        runs.train("cube", "cuda", CUBE);
        runs.train("cube-again", "cuda", CUBE);
        runs.train("cpu-16", "cpu", one, half);
        runs.train("gpu-16", "cuda", one, half);
        runs.train("cpu-f16", "cpu", one, binary16);
        runs.train("gpu-f16", "cuda", one, binary16);
        runs.train("lean-16", "cuda", half, "parallelism={pipeline: 1, data: 2, zero_stage: 3, schedule: zb-h1}");
        runs.train("to-cpu", "cpu", one, runs.resume("gpu"));
        runs.train("to-gpu", "cuda", one, runs.resume("cpu"));
        Running run = runs.start().end(0);
        assertTrue(run.out().matches("(?s).*sample     public \\.\\.\\.\\R\\Rpublic .*"), run.out());
        runs.near("cpu", "gpu", CudaRuns.FULL);
        runs.near("gpu", "cube", CudaRuns.FULL);
        runs.near("cpu-16", "gpu-16", CudaRuns.HALF);
        runs.near("gpu-16", "lean-16", CudaRuns.HALF);
        runs.near("cpu-f16", "gpu-f16", CudaRuns.HALF);
        runs.near("cpu", "to-cpu", CudaRuns.FULL);
        runs.near("cpu", "to-gpu", CudaRuns.FULL);
        runs.same("gpu", "again");
        runs.same("cube", "cube-again");
    }

    @Test
    void shouldSendFromDeviceToDeviceWhatItSendsThroughTheHost(@TempDir Path folder) throws IOException {
        Map<String, String> two = new TreeMap<>(machine);
        two.put("PENSTOCK_STAND_IN_DEVICES", "2");
        Sandbox sandbox = Sandbox.in(folder);
        CudaRuns runs = new CudaRuns(sandbox, two);
        runs.train("direct", "cuda", CUBE, "logging.timeline=true");
        runs.train("staged", "cuda", CUBE, "cluster.transport=aeron:ipc");
        runs.start().end(0);
        runs.same("staged", "direct");
        assertDrawsTheDevicesOwnTimes(sandbox.run("direct"));
        assertFalse(Files.exists(sandbox.run("staged").resolve("logs/rank-0.times.json")), "nobody asked for it");
    }

    @Test
    void shouldGenerateAndEvaluateAsTheCpuDoes(@TempDir Path folder) throws IOException {
        Sandbox sandbox = Sandbox.in(folder);
        CudaRuns runs = new CudaRuns(sandbox, machine);
        Files.writeString(
                folder.resolve("unseen.txt"), Files.readString(sandbox.text()).substring(0, 700));
        String checkpoint = sandbox.checkpoint("cpu", CudaRuns.STEPS).toString();
        runs.train("cpu", "cpu", "parallelism={pipeline: 1}");
        for (String device : List.of("cpu", "cuda")) {
            String generate =
                    "generate " + checkpoint + " --prompt class --tokens 12 --temperature 0 --device " + device;
            String evaluate = "evaluate " + checkpoint + " --data unseen.txt --json --device " + device;
            runs.command(generate.split(" ", -1));
            runs.command(evaluate.split(" ", -1));
        }
        String[] out = runs.start().end(0).out().split("-- \\[(generate|evaluate).*\\R", -1);
        assertTrue(out[1].startsWith("class") && out[1].length() > 12, out[1]);
        assertEquals(out[1], out[3], "the likeliest tokens");
        var cpu = new ObjectMapper().readTree(out[2]);
        var cuda = new ObjectMapper().readTree(out[4]);
        assertEquals(cpu.path("tokens").asLong(), cuda.path("tokens").asLong());
        assertTrue(cpu.path("tokens").asLong() > 600, out[2]);
        assertEquals(cpu.path("loss").asDouble(), cuda.path("loss").asDouble(), 1e-4);
    }

    /** As {@link HostWaitsRun} takes them. */
    private static String waiting(String name, String... more) {
        // a checkpoint among the steps would wait too
        return String.join(
                " ", CudaRuns.overrides(name, "cuda", CudaRuns.plus(more, "checkpoint.every=" + (CudaRuns.STEPS + 1))));
    }

    /** Once for all that it asked for, then for the sums of squares and for the losses that lie there, however many micro-batches and gradients there are. */
    @Test
    void shouldWaitForTheDeviceOnlyAtTheEndOfAStep(@TempDir Path folder) throws IOException {
        Running run = Sandbox.in(folder)
                .startClass(
                        HostWaitsRun.class.getName(),
                        machine,
                        waiting(
                                "one",
                                "training.global_batch_size=16",
                                "training.precision=f16",
                                "parallelism.pipeline=1"),
                        waiting("replicas", "parallelism.pipeline=1", "parallelism.data=2", "parallelism.zero_stage=2"),
                        waiting("stages", "parallelism.schedule=zb-h1"))
                .end(0);
        // the first of two stages has no losses to read
        assertEquals(
                List.of("waits [3, 3]", "waits [3, 3]", "waits [2, 2]"),
                run.out().lines().toList());
    }

    /** A stream's stamps are in order, none is before the host asked, and since the stand-in works when somebody waits, some are long after the host went on. */
    private static void assertDrawsTheDevicesOwnTimes(Path run) throws IOException {
        for (int rank = 0; rank < 2; rank++) {
            var times = new ObjectMapper()
                    .readTree(run.resolve("logs/rank-" + rank + ".times.json").toFile());
            var device = times.path("device");
            int instructions = times.path("start_ns").size();
            assertTrue(instructions > 4, times::toString);
            assertEquals(instructions, device.path("end_ns").size());
            long last = times.path("start_ns").path(0).asLong();
            long latest = 0;
            for (int i = 0; i < instructions; i++) {
                for (String key : List.of("start_ns", "end_ns")) {
                    long stamp = device.path(key).path(i).asLong();
                    long asked = times.path("start_ns").path(i).asLong();
                    assertTrue(stamp >= last - SLACK_NS && stamp >= asked - SLACK_NS, key + " " + i + ": " + times);
                    last = stamp;
                }
                latest = Math.max(
                        latest,
                        device.path("end_ns").path(i).asLong()
                                - times.path("end_ns").path(i).asLong());
            }
            assertTrue(latest > SLACK_NS, "the device did all when it was asked: " + times);
        }
        String page = Files.readString(run.resolve("timeline.html"));
        assertTrue(page.contains("{\"name\":\"measured\"") && page.contains("{\"name\":\"asked by the host\""), page);
    }
}
