package io.penstock.engine.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.penstock.tensor.cuda.StandInMachine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
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
    private static final int STEPS = 3;

    /** The driver gives times as floats, and the two clocks are read one after the other. */
    private static final long SLACK_NS = 200_000;

    private static final String CUBE =
            "parallelism={pipeline: 2, tensor: 2, data: 2, schedule: 1f1b, sequence_parallel: true}";

    private static final String HOST_STORE = "--set cluster.offload_store.kind=host";

    @TempDir
    static Path libraries = Path.of("");

    private static Map<String, String> machine = Map.of();

    private final List<String> commands = new ArrayList<>();

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

    private void train(String name, String device, String... more) {
        commands.add(";");
        commands.addAll(List.of(Sandbox.train(
                "run.name=" + name,
                "cluster.device=" + device,
                "cluster.launch=threads",
                "model.hidden_size=16",
                "model.max_position_embeddings=8",
                "training.sequence_length=8",
                "training.steps=" + STEPS,
                "checkpoint.every=2",
                "logging.sample_tokens=0",
                "training.validation.sequences=4")));
        commands.addAll(Stream.of(more).flatMap(s -> Stream.of(s.split(" ", 2))).toList());
    }

    private static String set(String override) {
        return "--set " + override;
    }

    /** Goes on from step 2 of a run, in a run of its own: by a link, for a path inside a run's folder goes on in that run. */
    private static String resume(Path folder, String run) throws IOException {
        Path link = folder.resolve("step-2-of-" + run);
        Files.createSymbolicLink(link, folder.resolve("runs").resolve(run).resolve("checkpoints/step-000002"));
        return "--resume " + link;
    }

    @Test
    void shouldTrainAsTheCpuDoes(@TempDir Path folder) throws IOException {
        Sandbox sandbox = Sandbox.in(folder);
        String one = set("parallelism={pipeline: 1}");
        String half = set("training.precision=bf16");
        String binary16 = set("training.precision=f16");
        train("cpu", "cpu", one);
        train("gpu", "cuda", one, set("logging.sample_tokens=2"));
        train("again", "cuda", one);
        train("cube", "cuda", set(CUBE));
        train("cube-again", "cuda", set(CUBE));
        train("cpu-16", "cpu", one, half);
        train("gpu-16", "cuda", one, half);
        train("cpu-f16", "cpu", one, binary16);
        train("gpu-f16", "cuda", one, binary16);
        train("lean-16", "cuda", half, set("parallelism={pipeline: 1, data: 2, zero_stage: 3, schedule: zb-h1}"));
        train("offloaded", "cuda", set("parallelism={pipeline: 1, offload: optimizer}"), HOST_STORE);
        train(
                "leaner-16",
                "cuda",
                half,
                set("parallelism={pipeline: 1, data: 2, zero_stage: 3, schedule: zb-h1, offload: parameters}"),
                HOST_STORE);
        train("to-cpu", "cpu", one, resume(folder, "gpu"));
        train("to-gpu", "cuda", one, resume(folder, "cpu"));
        String[] all = commands.subList(1, commands.size()).toArray(String[]::new);
        Running runs = sandbox.startClass("io.penstock.engine.cli.SeveralCommands", machine, all)
                .end(0);
        assertTrue(runs.out().matches("(?s).*sample     public \\.\\.\\.\\R\\Rpublic .*"), runs.out());
        near(sandbox, "cpu", "gpu", FULL);
        near(sandbox, "gpu", "cube", FULL);
        near(sandbox, "cpu-16", "gpu-16", HALF);
        near(sandbox, "gpu-16", "lean-16", HALF);
        near(sandbox, "cpu-f16", "gpu-f16", HALF);
        near(sandbox, "cpu", "to-cpu", FULL);
        near(sandbox, "cpu", "to-gpu", FULL);
        same(sandbox, "gpu", "again");
        same(sandbox, "cube", "cube-again");
        same(sandbox, "gpu", "offloaded");
        same(sandbox, "lean-16", "leaner-16");
    }

    /** The same bits. */
    private static void same(Sandbox sandbox, String one, String other) throws IOException {
        assertEquals(numbers(sandbox, one), numbers(sandbox, other), one + " and " + other);
        assertEquals(
                Sandbox.tensors(sandbox.checkpoint(one, STEPS)),
                Sandbox.tensors(sandbox.checkpoint(other, STEPS)),
                one + " and " + other);
    }

    @Test
    void shouldSendFromDeviceToDeviceWhatItSendsThroughTheHost(@TempDir Path folder) throws IOException {
        Sandbox sandbox = Sandbox.in(folder);
        Map<String, String> two = new TreeMap<>(machine);
        two.put("PENSTOCK_STAND_IN_DEVICES", "2");
        train("direct", "cuda", set(CUBE), set("logging.timeline=true"));
        train("staged", "cuda", set(CUBE), set("cluster.transport=aeron:ipc"));
        String[] all = commands.subList(1, commands.size()).toArray(String[]::new);
        sandbox.startClass("io.penstock.engine.cli.SeveralCommands", two, all).end(0);
        same(sandbox, "staged", "direct");
        assertDrawsTheDevicesOwnTimes(sandbox.run("direct"));
        assertFalse(Files.exists(sandbox.run("staged").resolve("logs/rank-0.times.json")), "nobody asked for it");
    }

    @Test
    void shouldGenerateAndEvaluateAsTheCpuDoes(@TempDir Path folder) throws IOException {
        Sandbox sandbox = Sandbox.in(folder);
        Files.writeString(
                folder.resolve("unseen.txt"), Files.readString(sandbox.text()).substring(0, 700));
        String checkpoint = sandbox.checkpoint("cpu", STEPS).toString();
        train("cpu", "cpu", set("parallelism={pipeline: 1}"));
        for (String device : List.of("cpu", "cuda")) {
            String generate =
                    "generate " + checkpoint + " --prompt class --tokens 12 --temperature 0 --device " + device;
            String evaluate = "evaluate " + checkpoint + " --data unseen.txt --json --device " + device;
            for (String command : List.of(generate, evaluate)) {
                commands.add(";");
                commands.addAll(List.of(command.split(" ", -1)));
            }
        }
        String[] all = commands.subList(1, commands.size()).toArray(String[]::new);
        String[] out = sandbox.startClass("io.penstock.engine.cli.SeveralCommands", machine, all)
                .end(0)
                .out()
                .split("-- \\[(generate|evaluate).*\\R", -1);
        assertTrue(out[1].startsWith("class") && out[1].length() > 12, out[1]);
        assertEquals(out[1], out[3], "the likeliest tokens");
        var cpu = new ObjectMapper().readTree(out[2]);
        var cuda = new ObjectMapper().readTree(out[4]);
        assertEquals(cpu.path("tokens").asLong(), cuda.path("tokens").asLong());
        assertTrue(cpu.path("tokens").asLong() > 600, out[2]);
        assertEquals(cpu.path("loss").asDouble(), cuda.path("loss").asDouble(), 1e-4);
    }

    /** Once for all that it asked for, then for the sums of squares and for the losses that lie there, however many micro-batches and gradients there are. */
    @Test
    void shouldWaitForTheDeviceOnlyAtTheEndOfAStep(@TempDir Path folder) throws IOException {
        String small = "cluster.device=cuda cluster.launch=threads model.hidden_size=16 training.steps=3"
                + " training.sequence_length=8 model.max_position_embeddings=8 training.validation.sequences=2"
                + " logging.sample_tokens=0 run.name=";
        Running run = Sandbox.in(folder)
                .startClass(
                        HostWaitsRun.class.getName(),
                        machine,
                        small + "one training.global_batch_size=16 training.precision=f16 parallelism.pipeline=1",
                        small + "replicas parallelism.pipeline=1 parallelism.data=2 parallelism.zero_stage=2",
                        small + "stages parallelism.schedule=zb-h1")
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

    /**
     * How far two runs may be apart; those of 16 bits round in other places.
     *
     * @param numbers losses and gradient norms, of themselves
     * @param weights the mean distance of a parameter's elements, where the steps' learning rate is 3e-3
     */
    private record Bounds(double numbers, double weights) {}

    private static final Bounds FULL = new Bounds(1e-5, 1e-5);
    private static final Bounds HALF = new Bounds(2e-3, 3e-3);

    private static void near(Sandbox sandbox, String one, String other, Bounds bounds) throws IOException {
        List<Double> all = numbers(sandbox, one);
        List<Double> found = numbers(sandbox, other);
        // a run that went on has the last steps only
        List<Double> expected = all.subList(all.size() - found.size(), all.size());
        double worst = 0;
        for (int i = 0; i < expected.size(); i++) {
            worst = Math.max(worst, Math.abs(expected.get(i) - found.get(i)) / Math.abs(expected.get(i)));
        }
        Map<String, float[]> ofOther = weights(sandbox, other);
        double furthest = 0;
        for (Map.Entry<String, float[]> parameter : weights(sandbox, one).entrySet()) {
            float[] elements = Objects.requireNonNull(ofOther.get(parameter.getKey()), parameter.getKey());
            double sum = 0;
            for (int i = 0; i < elements.length; i++) {
                sum += Math.abs(parameter.getValue()[i] - elements[i]);
            }
            furthest = Math.max(furthest, sum / elements.length);
        }
        assertTrue(
                worst <= bounds.numbers && furthest <= bounds.weights,
                one + " and " + other + ": numbers differ by " + worst + " of themselves, weights by " + furthest);
    }

    /** Losses and gradient norms of all steps, validation losses. */
    private static List<Double> numbers(Sandbox sandbox, String run) throws IOException {
        List<Double> numbers = new ArrayList<>();
        for (String line : Files.readAllLines(sandbox.run(run).resolve("metrics.jsonl"))) {
            var step = new ObjectMapper().readTree(line);
            for (String key : List.of("loss", "grad_norm", "validation_loss")) {
                if (step.has(key)) {
                    numbers.add(step.path(key).asDouble());
                }
            }
        }
        return numbers;
    }

    private static Map<String, float[]> weights(Sandbox sandbox, String run) throws IOException {
        Map<String, float[]> weights = new TreeMap<>();
        try (Stream<Path> files = Files.list(sandbox.checkpoint(run, STEPS))) {
            for (Path file : files.filter(path -> path.toString().endsWith(".safetensors"))
                    .filter(path -> path.getFileName().toString().startsWith("model"))
                    .toList()) {
                weights.putAll(Safetensors.floats(file));
            }
        }
        return weights;
    }
}
