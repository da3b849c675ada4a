package io.penstock.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.penstock.engine.config.Config;
import io.penstock.engine.config.ConfigLoader;
import io.penstock.engine.config.ConfigModels;
import io.penstock.engine.run.StepMetrics;
import io.penstock.engine.training.DoesNotFitException;
import io.penstock.engine.training.StepListener;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The engine as a library. */
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class TrainingRunTest {
    private static final String YAML = """
            run: {name: library}
            model:
              architecture: gpt2
              num_hidden_layers: 2
              hidden_size: 32
              num_attention_heads: 2
              max_position_embeddings: 16
              vocab_size: 256
            data: {source: text.txt}
            training:
              steps: 6
              global_batch_size: 8
              micro_batch_size: 2
              sequence_length: 16
              validation: {every: 2}
            parallelism: {pipeline: 2}
            cluster: {launch: threads}
            checkpoint: {every: 3}
            """;

    private final Path folder;

    TrainingRunTest(@TempDir Path folder) throws IOException {
        this.folder = folder;
        Files.writeString(folder.resolve("text.txt"), "the quick brown fox jumps over the lazy dog\n".repeat(400));
    }

    private Config config(String... overrides) {
        List<String> all = new ArrayList<>(List.of("run.directory=" + folder.resolve("runs")));
        all.addAll(List.of(overrides));
        return ConfigLoader.parse(YAML, "test", folder, all);
    }

    /** What a listener hears, in words. */
    private static final class Heard implements StepListener {
        final List<String> words = new ArrayList<>();

        @Override
        public void step(StepMetrics metrics) {
            words.add("step " + metrics.step());
        }

        @Override
        public void validation(int step, double loss) {
            words.add("validation " + step);
        }

        @Override
        public void checkpoint(int step, Path checkpoint) {
            words.add("checkpoint " + step);
        }
    }

    @Test
    void shouldTellOfStepsValidationsAndCheckpoints() {
        Heard heard = new Heard();
        TrainingRun.Result result =
                TrainingRun.of(config()).listener(heard).prepare().train();
        assertEquals(
                List.of(
                        "step 1",
                        "step 2",
                        "validation 2",
                        "step 3",
                        "checkpoint 3",
                        "step 4",
                        "validation 4",
                        "step 5",
                        "step 6",
                        "validation 6",
                        "checkpoint 6"),
                heard.words);
        assertEquals(6, result.steps());
        assertFalse(result.stopped());
        assertTrue(result.checkpoint().endsWith("step-000006"));
        assertTrue(Files.exists(result.folder().resolve("plan.json")));
        assertTrue(Files.exists(result.folder().resolve("metrics.jsonl")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"memory", "aeron:ipc", "aeron:udp"})
    void shouldLeaveNoThreadAndPrintNothing(String transport) throws InterruptedException {
        // What the JVM and the libraries start once and keep, such as the common cleaner, is there after a first run.
        TrainingRun.of(config("cluster.transport=" + transport)).prepare().train();
        Set<Thread> before = Thread.getAllStackTraces().keySet();
        PrintStream out = System.out;
        PrintStream err = System.err;
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        try (PrintStream capture = new PrintStream(printed, true, StandardCharsets.UTF_8)) {
            System.setOut(capture);
            System.setErr(capture);
            TrainingRun.of(config("cluster.transport=" + transport)).prepare().train();
        } finally {
            System.setOut(out);
            System.setErr(err);
        }
        assertEquals("", printed.toString(StandardCharsets.UTF_8));
        assertEquals(Set.of(), left(before));
    }

    /** The names of threads that were not there before and are still there after a second. */
    private static Set<String> left(Set<Thread> before) throws InterruptedException {
        Set<Thread> after = new HashSet<>(Thread.getAllStackTraces().keySet());
        after.removeAll(before);
        Set<String> names = new HashSet<>();
        for (Thread thread : after) {
            thread.join(TimeUnit.SECONDS.toMillis(1));
            if (thread.isAlive()) {
                names.add(thread.getName());
            }
        }
        return names;
    }

    @Test
    void shouldStopAllRanksAfterTheSameStepFromAnotherThread() throws Exception {
        CompletableFuture<TrainingRun> running = new CompletableFuture<>();
        AtomicInteger last = new AtomicInteger();
        TrainingRun run = TrainingRun.of(config("training.steps=100000", "checkpoint.every=0"))
                .listener(step -> {
                    last.set(step.step());
                    if (step.step() == 5) {
                        Thread.ofPlatform().start(() -> running.join().stop());
                    }
                })
                .prepare();
        running.complete(run);
        TrainingRun.Result result = run.train();
        assertTrue(result.stopped());
        assertTrue(result.steps() >= 6 && result.steps() < 1000, result.toString());
        assertEquals(last.get(), result.steps());
        assertTrue(result.checkpoint().endsWith("step-%06d".formatted(result.steps())));
    }

    @Test
    void shouldGoOnToTheBitsOfAnUnbrokenRun() throws Exception {
        TrainingRun.Result whole =
                TrainingRun.of(config("run.name=whole")).prepare().train();
        TrainingRun first = TrainingRun.of(config("run.name=broken")).prepare();
        // Before it begins: it does one step, and one that it may have been in.
        first.stop();
        TrainingRun.Result broken = first.train();
        assertEquals(2, broken.steps());
        TrainingRun.Result resumed = TrainingRun.of(config("run.name=broken"))
                .resume(broken.checkpoint())
                .prepare()
                .train();
        assertEquals(6, resumed.steps());
        for (String shard : List.of("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")) {
            assertEquals(
                    -1,
                    Files.mismatch(
                            whole.checkpoint().resolve(shard),
                            resumed.checkpoint().resolve(shard)),
                    shard);
        }
    }

    @Test
    void shouldEndWithWhatAListenerThrows() {
        IllegalStateException mine = new IllegalStateException("enough");
        TrainingRun run = TrainingRun.of(config())
                .listener(step -> {
                    throw mine;
                })
                .prepare();
        assertSame(mine, assertThrows(IllegalStateException.class, run::train));
    }

    @Test
    void shouldRefuseBeforeARankStarts() throws IOException {
        assertThrows(
                DoesNotFitException.class,
                () -> TrainingRun.of(config("cluster.memory_per_rank=1KiB")).prepare());
        Config processes = config("cluster.launch=processes");
        assertTrue(String.valueOf(assertThrows(
                                IllegalArgumentException.class,
                                () -> TrainingRun.of(processes).prepare())
                        .getMessage())
                .contains("use threads"));
        Config known = config();
        assertTrue(String.valueOf(assertThrows(
                                IllegalArgumentException.class,
                                () -> TrainingRun.of(known).model(ConfigModels.model(known.model())))
                        .getMessage())
                .contains("architecture name of its own"));
        Files.writeString(folder.resolve("text.txt"), "short");
        assertThrows(RuntimeException.class, () -> TrainingRun.of(config()).prepare());
        assertFalse(Files.exists(folder.resolve("runs/library")));
    }
}
