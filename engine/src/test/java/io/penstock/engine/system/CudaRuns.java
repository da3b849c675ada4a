package io.penstock.engine.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.penstock.engine.config.Config;
import io.penstock.engine.config.ConfigLoader;
import io.penstock.engine.training.RunSetup;
import io.penstock.partitioner.RankMemory;
import io.penstock.tensor.cuda.CudaBackend;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Stream;

/** Small runs and other commands, one after the other in a JVM that sees the GPU of {@code machine}; and how near runs came to each other. */
final class CudaRuns {
    static final int STEPS = 3;

    /**
     * How far two runs may be apart; those of 16 bits round in other places.
     *
     * @param numbers losses and gradient norms, of themselves
     * @param weights the mean distance of a parameter's elements, where the steps' learning rate is 3e-3
     */
    record Bounds(double numbers, double weights) {}

    static final Bounds FULL = new Bounds(1e-5, 1e-5);
    static final Bounds HALF = new Bounds(2e-3, 3e-3);

    private final Sandbox sandbox;
    private final Map<String, String> machine;
    private final List<String> commands = new ArrayList<>();

    CudaRuns(Sandbox sandbox, Map<String, String> machine) {
        this.sandbox = sandbox;
        this.machine = machine;
    }

    /** Overrides and options, those of {@code more} last: of two values of one key the later one counts. */
    static String[] plus(String[] some, String... more) {
        return Stream.of(some, more).flatMap(Arrays::stream).toArray(String[]::new);
    }

    /** What every run here has, and {@code more}. */
    static String[] overrides(String name, String device, String... more) {
        String[] ofAll = {
            "run.name=" + name,
            "cluster.device=" + device,
            "cluster.launch=threads",
            "model.hidden_size=16",
            "model.max_position_embeddings=8",
            "training.sequence_length=8",
            "training.steps=" + STEPS,
            "checkpoint.every=2",
            "logging.sample_tokens=0",
            "training.validation.sequences=4"
        };
        return plus(ofAll, more);
    }

    /** What each rank of a run on the GPU would hold. */
    List<RankMemory> planned(String... more) {
        // without a limit it would ask for a GPU
        String[] all = overrides("planned", "cuda", plus(more, "cluster.memory_per_rank=1GiB"));
        Config config = ConfigLoader.load(sandbox.folder().resolve("c.yaml"), List.of(all));
        return RunSetup.plan(config, RunSetup.model(config), CudaBackend.WORKSPACE_BYTES)
                .memory();
    }

    /** The most that a rank would hold. */
    long mostPlanned(String... more) {
        return planned(more).stream().mapToLong(RankMemory::totalBytes).max().orElseThrow();
    }

    /** {@code more}: overrides, and options with a value or none. */
    void train(String name, String device, String... more) {
        withConfig("train", name, device, more);
    }

    /** As {@link #train}. */
    void plan(String name, String device, String... more) {
        withConfig("plan", name, device, more);
    }

    private void withConfig(String command, String name, String device, String... more) {
        String[] arguments = Sandbox.train(overrides(name, device));
        arguments[0] = command;
        command(arguments);
        commands.addAll(Stream.of(more)
                .flatMap(s -> s.startsWith("--") ? Stream.of(s.split(" ", 2)) : Stream.of("--set", s))
                .toList());
    }

    void command(String... arguments) {
        if (!commands.isEmpty()) {
            commands.add(";");
        }
        commands.addAll(List.of(arguments));
    }

    Running start() {
        return sandbox.startClass("io.penstock.engine.cli.SeveralCommands", machine, commands.toArray(String[]::new));
    }

    /** Goes on from step 2 of a run, in a run of its own: by a link, for a path inside a run's folder goes on in that run. */
    String resume(String run) throws IOException {
        Path link = sandbox.folder().resolve("step-2-of-" + run);
        Files.createSymbolicLink(link, sandbox.run(run).resolve("checkpoints/step-000002"));
        return "--resume " + link;
    }

    /** Fails unless two runs have the same bits. */
    void same(String one, String other) throws IOException {
        assertEquals(numbers(one), numbers(other), one + " and " + other);
        assertEquals(
                Sandbox.tensors(sandbox.checkpoint(one, STEPS)),
                Sandbox.tensors(sandbox.checkpoint(other, STEPS)),
                one + " and " + other);
    }

    /** Fails unless losses, norms and weights of two runs are that near. */
    void near(String one, String other, Bounds bounds) throws IOException {
        List<Double> all = numbers(one);
        List<Double> found = numbers(other);
        // a run that went on has the last steps only
        List<Double> expected = all.subList(all.size() - found.size(), all.size());
        double worst = 0;
        for (int i = 0; i < expected.size(); i++) {
            worst = Math.max(worst, Math.abs(expected.get(i) - found.get(i)) / Math.abs(expected.get(i)));
        }
        Map<String, float[]> ofOther = weights(other);
        double furthest = 0;
        for (Map.Entry<String, float[]> parameter : weights(one).entrySet()) {
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
    private List<Double> numbers(String run) throws IOException {
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

    private Map<String, float[]> weights(String run) throws IOException {
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
