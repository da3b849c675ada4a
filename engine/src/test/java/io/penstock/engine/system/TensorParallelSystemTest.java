package io.penstock.engine.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.penstock.models.weights.SafetensorsFile;
import io.penstock.models.weights.StoredTensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs whose layers are shared by two ranks, in threads and in processes: what they leave is what one rank can go on with. */
@Tag("system")
final class TensorParallelSystemTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int STEPS = 8;
    /** Nats; the losses of F32 runs of 8 steps were within 1e-6. */
    private static final double NEAR = 1e-4;

    @TempDir
    static Path folder = Path.of("");

    private static Sandbox sandbox = new Sandbox(folder);

    /** Two ranks in processes, resumed below from step 4. */
    @BeforeAll
    static void train() throws IOException {
        sandbox = Sandbox.in(folder);
        sandbox.start(Sandbox.train("run.name=one", "parallelism.pipeline=1", "cluster.launch=threads"))
                .end(0);
        sandbox.start(Sandbox.train("run.name=two", "parallelism.pipeline=1", "parallelism.tensor=2"))
                .end(0);
    }

    private static List<Double> losses(String name) throws IOException {
        List<Double> losses = new ArrayList<>();
        for (String line : Files.readAllLines(sandbox.run(name).resolve("metrics.jsonl"))) {
            JsonNode node = JSON.readTree(line);
            if (node.has("loss")) {
                losses.add(node.path("loss").asDouble());
            }
        }
        return losses;
    }

    private static void assertNear(String name) throws IOException {
        List<Double> one = losses("one");
        List<Double> other = losses(name);
        assertEquals(STEPS, other.size());
        for (int i = 0; i < STEPS; i++) {
            assertEquals(one.get(i), other.get(i), NEAR, name + ", step " + (i + 1));
        }
        assertTrue(other.getLast() < other.getFirst());
    }

    @Test
    void shouldTrainAsOneRankInProcesses() throws IOException {
        assertNear("two");
    }

    @Test
    @Tag("slow")
    void shouldTrainAsOneRankTogetherWithAPipelineInProcesses() throws IOException {
        sandbox.start(Sandbox.train("run.name=four", "parallelism.tensor=2")).end(0);
        assertNear("four");
    }

    @Test
    @Tag("slow")
    void shouldComeToItsOwnBitsInThreadsAndOverUdp() throws IOException {
        String[] threads = Sandbox.train(
                "run.name=threads", "parallelism.pipeline=1", "parallelism.tensor=2", "cluster.launch=threads");
        sandbox.start(threads).end(0);
        assertEquals(
                Sandbox.tensors(sandbox.checkpoint("two", STEPS)),
                Sandbox.tensors(sandbox.checkpoint("threads", STEPS)));
        String[] udp = Sandbox.train(
                "run.name=udp",
                "parallelism.pipeline=1",
                "parallelism.tensor=2",
                "cluster.launch=threads",
                "cluster.transport=aeron:udp");
        sandbox.start(udp).end(0);
        assertEquals(
                Sandbox.tensors(sandbox.checkpoint("two", STEPS)), Sandbox.tensors(sandbox.checkpoint("udp", STEPS)));
    }

    @Test
    void shouldSaveWholeTensorsThatAnyLayoutGoesOnFrom() throws IOException {
        assertEquals(shapes("one"), shapes("two"));
        assertEquals(Sandbox.tensors(sandbox.checkpoint("two", STEPS)), resumed("again", "parallelism.tensor=2"));
        resumed("alone", "parallelism.tensor=1");
        List<Double> alone = losses("alone");
        List<Double> two = losses("two");
        for (int i = 4; i < STEPS; i++) {
            assertEquals(two.get(i), alone.get(i - 4), NEAR, "step " + (i + 1) + " after going on alone");
        }
    }

    private static Map<String, String> resumed(String name, String override) throws IOException {
        Path copy = Files.createDirectories(sandbox.folder().resolve(name + "-start"));
        try (var files = Files.list(sandbox.checkpoint("two", 4))) {
            for (Path file : files.toList()) {
                Files.copy(file, copy.resolve(file.getFileName()));
            }
        }
        String[] arguments =
                Sandbox.train("run.name=" + name, "parallelism.pipeline=1", override, "cluster.launch=threads");
        String[] all = Arrays.copyOf(arguments, arguments.length + 2);
        all[arguments.length] = "--resume";
        all[arguments.length + 1] = copy.toString();
        sandbox.start(all).end(0);
        return Sandbox.tensors(sandbox.checkpoint(name, STEPS));
    }

    private static List<String> shapes(String name) {
        try (var file = SafetensorsFile.open(sandbox.checkpoint(name, STEPS).resolve("model.safetensors"))) {
            return file.tensors().stream().map(TensorParallelSystemTest::words).toList();
        }
    }

    private static String words(StoredTensor tensor) {
        return tensor.name() + " " + tensor.type() + tensor.shape();
    }

    @Test
    void shouldGenerateFromAndEvaluateWhatTwoRanksTrained() throws IOException {
        String checkpoint = sandbox.checkpoint("two", STEPS).toString();
        String text = sandbox.start("generate", checkpoint, "--prompt", "public ", "--tokens", "8", "--seed", "7")
                .end(0)
                .out();
        assertTrue(text.startsWith("public ") && text.length() > "public \n".length(), text);
        String[] data = {"--data", sandbox.text().toString(), "--json"};
        double two = evaluated(checkpoint, data);
        assertEquals(evaluated(sandbox.checkpoint("one", STEPS).toString(), data), two, NEAR);
    }

    private static double evaluated(String checkpoint, String... data) throws IOException {
        String out = sandbox.start("evaluate", checkpoint, data[0], data[1], data[2])
                .end(0)
                .out();
        return JSON.readTree(out).path("loss").asDouble();
    }

    @Test
    void shouldSayWhatCannotBeShared() {
        String err = sandbox.start(Sandbox.train("parallelism.tensor=3")).end(2).err();
        assertTrue(err.contains("num_attention_heads=2 % tensor=3 = 2, expected 0"), err);
    }
}
