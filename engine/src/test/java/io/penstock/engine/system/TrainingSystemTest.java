package io.penstock.engine.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The whole length: a run in two processes, what it leaves, and that resuming it any other way comes to the same bits. */
@Tag("system")
@Timeout(value = 300, unit = TimeUnit.SECONDS)
final class TrainingSystemTest {
    private static final int STEPS = 8;
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    private static Path folder;

    private static Sandbox sandbox;
    private static Running uninterrupted;
    private static Map<String, String> expected;

    @BeforeAll
    static void train() throws IOException {
        sandbox = Sandbox.in(folder);
        uninterrupted = sandbox.startWarm(Sandbox.train("run.name=whole")).end(0);
        expected = Sandbox.tensors(sandbox.checkpoint("whole", STEPS));
    }

    /** Goes on from step 4 of the whole run, copied into a run of its own. */
    private static Map<String, String> resumed(String name, String... overrides) throws IOException {
        Path from = sandbox.checkpoint("whole", 4);
        Path copy = sandbox.folder().resolve(name + "-start");
        Files.createDirectories(copy);
        try (var files = Files.list(from)) {
            for (Path file : files.toList()) {
                Files.copy(file, copy.resolve(file.getFileName()));
            }
        }
        String[] arguments = Sandbox.train(overrides);
        String[] all = Arrays.copyOf(arguments, arguments.length + 4);
        all[arguments.length] = "--set";
        all[arguments.length + 1] = "run.name=" + name;
        all[arguments.length + 2] = "--resume";
        all[arguments.length + 3] = copy.toString();
        Running run = sandbox.start(all).end(0);
        assertTrue(run.out().contains("resuming after step 4 from "), run.out());
        return Sandbox.tensors(sandbox.checkpoint(name, STEPS));
    }

    @Test
    void shouldLeaveARunDirectoryAsPromised() throws IOException {
        Path run = sandbox.run("whole");
        for (String file : List.of("config.yaml", "plan.json", "logs/rank-0.log", "logs/rank-1.log")) {
            assertTrue(Files.size(run.resolve(file)) > 0, file);
        }
        List<String> lines = Files.readAllLines(run.resolve("metrics.jsonl"));
        List<JsonNode> steps = lines.stream()
                .map(TrainingSystemTest::json)
                .filter(line -> line.has("loss"))
                .toList();
        assertEquals(STEPS, steps.size());
        for (int i = 0; i < STEPS; i++) {
            assertEquals(i + 1, steps.get(i).path("step").asInt());
            for (String key : List.of("tokens", "tokens_per_second", "grad_norm", "learning_rate", "step_seconds")) {
                assertTrue(steps.get(i).path(key).asDouble() > 0, key);
            }
        }
        assertTrue(steps.getLast().path("loss").asDouble()
                < steps.getFirst().path("loss").asDouble());
        assertTrue(Files.exists(sandbox.checkpoint("whole", 4).resolve("manifest.json")));
        assertTrue(Files.exists(sandbox.checkpoint("whole", STEPS).resolve("model.safetensors.index.json")));
        assertEquals(List.of(), uninterrupted.sharedMemory());
    }

    @Test
    void shouldShowLayoutStepsLossAndASample() {
        String out = uninterrupted.out();
        for (String words : List.of(
                "2 stages on 2 ranks",
                "rank 0  stage 0  embedding",
                "128 tokens a step in 4 micro-batches of 2 x 16",
                "step 8/8  loss ",
                "validation loss ",
                "checkpoint " + sandbox.checkpoint("whole", STEPS),
                "\npublic ")) {
            assertTrue(out.contains(words), words + " in:\n" + out);
        }
        assertFalse(out.contains("\u001b"), "escape sequences where there is no terminal");
    }

    @Test
    void shouldResumeToTheSameBits() throws IOException {
        assertEquals(expected, resumed("same"));
    }

    @Test
    void shouldResumeToTheSameBitsOnAnotherLayout() throws IOException {
        assertEquals(expected, resumed("one", "parallelism.pipeline=1", "cluster.launch=threads"));
        assertEquals(
                expected,
                resumed("four", "parallelism.pipeline=4", "parallelism.schedule=gpipe", "cluster.launch=threads"));
    }

    @Test
    void shouldResumeToTheSameBitsOnReplicas() throws IOException {
        assertEquals(
                expected,
                resumed("shards", "parallelism.data=2", "parallelism.zero_stage=3", "parallelism.pipeline=1"));
        assertEquals(
                expected,
                resumed(
                        "many",
                        "parallelism.data=4",
                        "parallelism.zero_stage=1",
                        "parallelism.schedule=zb-h1",
                        "cluster.launch=threads"));
    }

    /** The files that replicas fill together are those that one rank writes. */
    @Test
    void shouldTrainToTheSameBitsOnReplicas() throws IOException {
        String[] half = Sandbox.train(
                "run.name=half", "parallelism.data=2", "parallelism.zero_stage=2", "cluster.launch=threads");
        sandbox.start(half).end(0);
        assertEquals(expected, Sandbox.tensors(sandbox.checkpoint("half", STEPS)));
    }

    @Test
    void shouldResumeTheLatestRunInItsOwnFolder() throws IOException {
        String[] four = Sandbox.train("run.name=twice", "training.steps=4", "cluster.launch=threads");
        sandbox.start(four).end(0);
        String[] eight = Sandbox.train("run.name=twice", "training.steps=8", "cluster.launch=threads");
        String[] latest = Arrays.copyOf(eight, eight.length + 2);
        latest[eight.length] = "--resume";
        latest[eight.length + 1] = "latest";
        sandbox.start(latest).end(0);
        long steps = Files.readAllLines(sandbox.run("twice").resolve("metrics.jsonl")).stream()
                .filter(line -> line.contains("\"loss\""))
                .count();
        assertEquals(8, steps);
        assertFalse(Files.exists(sandbox.run("twice-2")));
    }

    @Test
    void shouldComeToTheSameBitsOverUdpInThreads() throws IOException {
        sandbox.start(Sandbox.train("run.name=udp", "cluster.launch=threads", "cluster.transport=aeron:udp"))
                .end(0);
        assertEquals(expected, Sandbox.tensors(sandbox.checkpoint("udp", STEPS)));
    }

    @Test
    void shouldGenerateTheSameTextFromTheSameSeed() {
        String checkpoint = sandbox.checkpoint("whole", STEPS).toString();
        String first = generate(checkpoint, "7");
        assertEquals(first, generate(checkpoint, "7"));
        assertTrue(first.startsWith("public ") && first.length() > "public \n".length(), first);
        assertTrue(!first.equals(generate(checkpoint, "8")), first);
    }

    private static String generate(String checkpoint, String seed) {
        return sandbox.start("generate", checkpoint, "--prompt", "public ", "--tokens", "24", "--seed", seed)
                .end(0)
                .out();
    }

    @Test
    void shouldEvaluateNearTheValidationLossOfTheRun() throws IOException {
        String out = sandbox.start(
                        "evaluate",
                        sandbox.checkpoint("whole", STEPS).toString(),
                        "--data",
                        sandbox.text().toString(),
                        "--json")
                .end(0)
                .out();
        double evaluated = json(out).path("loss").asDouble();
        double validated = Files.readAllLines(sandbox.run("whole").resolve("metrics.jsonl")).stream()
                .map(TrainingSystemTest::json)
                .filter(line -> line.has("validation_loss"))
                .reduce((a, b) -> b)
                .orElseThrow()
                .path("validation_loss")
                .asDouble();
        // Both measure the same weights on text of one kind; the loss fell by more than this in training.
        assertEquals(validated, evaluated, 0.1);
    }

    private static JsonNode json(String line) {
        try {
            return JSON.readTree(line);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
