package io.penstock.engine.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Bad input to the commands that do the work: exit code 2, a message with the place, no process started, no run directory. */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
final class BadInputTest {
    private static final String CONFIG = """
            run: {name: small, directory: RUNS}
            model:
              architecture: gpt2
              num_hidden_layers: 2
              hidden_size: 16
              num_attention_heads: 2
              max_position_embeddings: 8
              vocab_size: 256
            data: {source: text.txt, tokenizer: bytes, validation_fraction: 0.1}
            training:
              steps: 2
              global_batch_size: 4
              micro_batch_size: 2
              sequence_length: 8
              precision: f32
            parallelism: {pipeline: 2}
            cluster: {launch: threads}
            logging: {sample_tokens: 0}
            """;

    @TempDir
    private Path folder = Path.of("");

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private StringWriter err = new StringWriter();
    private final List<String> before = new ArrayList<>();

    @BeforeEach
    void write() throws IOException {
        Files.writeString(folder.resolve("text.txt"), "some text to learn\n".repeat(60));
        Files.writeString(
                folder.resolve("c.yaml"),
                CONFIG.replace("RUNS", folder.resolve("runs").toString()));
        children().forEach(before::add);
    }

    @AfterEach
    void shouldHaveStartedNoProcess() {
        assertEquals(before, children().toList());
    }

    private static Stream<String> children() {
        return ProcessHandle.current().children().map(child -> Long.toString(child.pid()));
    }

    private int run(String... arguments) {
        err = new StringWriter();
        PrintStream print = new PrintStream(out, true, StandardCharsets.UTF_8);
        return Main.commandLine(List.of(
                        new TrainCommand(new TrainAction(print)),
                        new GenerateCommand(new GenerateAction(print)),
                        new EvaluateCommand(new EvaluateAction(print))))
                .setErr(new PrintWriter(err))
                .execute(arguments);
    }

    private String config() {
        return folder.resolve("c.yaml").toString();
    }

    /** Runs what must be refused; returns the message, with {@code FOLDER} for the test's. */
    private String refused(String... arguments) throws IOException {
        List<String> runs = runs();
        assertEquals(2, run(arguments), () -> err + "\n" + out);
        assertEquals(runs, runs(), "a run directory was left behind");
        assertFalse(err.toString().contains("\tat "), err.toString());
        return err.toString().replace(folder.toString(), "FOLDER");
    }

    private String refusedTraining(String... overrides) throws IOException {
        List<String> arguments = new ArrayList<>(List.of("train", config()));
        for (String override : overrides) {
            arguments.addAll(List.of("--set", override));
        }
        return refused(arguments.toArray(String[]::new));
    }

    /** All that is there but the cache of tokens. */
    private List<String> runs() throws IOException {
        if (!Files.exists(folder.resolve("runs"))) {
            return List.of();
        }
        try (Stream<Path> paths = Files.walk(folder.resolve("runs"))) {
            return paths.map(Path::toString)
                    .filter(path -> !path.contains("/.tokens") && !path.endsWith("runs"))
                    .sorted()
                    .toList();
        }
    }

    private void replace(String line, String replacement) throws IOException {
        String text = Files.readString(folder.resolve("c.yaml"));
        assertTrue(text.contains(line), line);
        Files.writeString(folder.resolve("c.yaml"), text.replace(line, replacement));
    }

    private Path trained() {
        assertEquals(0, run("train", config()), () -> err.toString());
        return folder.resolve("runs/small/checkpoints/step-000002");
    }

    @Test
    void shouldReportEveryProblemOfAConfigAtOnceWithItsPlace() throws IOException {
        replace("  vocab_size: 256", "  vocab_sise: 256");
        replace("  steps: 2", "  steps: two");
        replace("  precision: f32", "  precision: f32\n  precision: bf16");
        replace("global_batch_size: 4", "global_batch_size: 5");
        replace("source: text.txt", "source: nothing.txt");
        replace("pipeline: 2", "pipeline: 9");
        replace("num_attention_heads: 2", "num_attention_heads: 3");
        String message = refused("train", config());
        for (String problem : List.of(
                "FOLDER/c.yaml:6:24: heads must divide the hidden size: hidden_size=16 % num_attention_heads=3 = 1",
                "FOLDER/c.yaml:8:3: unknown key 'vocab_sise' in model, did you mean 'vocab_size'?",
                "FOLDER/c.yaml:9:16: no such file or folder: FOLDER/nothing.txt",
                "FOLDER/c.yaml:11:10: training.steps: expected a whole number, found 'two'",
                "FOLDER/c.yaml:12:22: global_batch_size=5 % (micro_batch_size=2 * data=1) = 1, expected 0",
                "FOLDER/c.yaml:16:3: duplicate key 'precision', first given at FOLDER/c.yaml:15:3",
                "FOLDER/c.yaml:17:25: more stages than layers: pipeline=9 * chunks=1 = 9 stages, the model has 4 layers")) {
            assertTrue(message.contains("\n  " + problem), problem + " in\n" + message);
        }
        assertTrue(message.startsWith("penstock: "), message);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            data.tokenizer=gpt2                | the gpt2 tokenizer makes 50257 tokens, more than the model's vocab_size=256
            training.sequence_length=16        | sequence_length=16 is more than max_position_embeddings=8
            training.global_batch_size=2000    | FOLDER/text.txt: training data has
            run.name=a b                       | run.name: expected text that matches
            data.source=nothing.txt            | no such file or folder:
            """)
    void shouldRefuseAValue(String override, String message) throws IOException {
        String found = refusedTraining(override);
        assertTrue(found.contains(message), found);
        assertTrue(found.startsWith("penstock: 1 problem in the input\n"), found);
    }

    @Test
    void shouldRefuseRanksThatWouldEachChooseALayout() throws IOException {
        String found = refusedTraining("parallelism=auto", "cluster.launch=environment");
        assertTrue(
                found.contains("--set cluster.launch=environment: launch: environment cannot choose a layout"), found);
    }

    @Test
    void shouldRefuseAnEmptyFileAndTooLittleData() throws IOException {
        Files.writeString(folder.resolve("text.txt"), "");
        assertTrue(refused("train", config()).contains("c.yaml:9:16: the data file is empty: FOLDER/text.txt"));
        Files.writeString(folder.resolve("text.txt"), "x".repeat(20));
        String both = refused("train", config());
        assertTrue(both.contains("2 problems"), both);
        assertTrue(
                both.contains(
                        "FOLDER/text.txt: training data has 1 sequences of 8 tokens (19 in all), fewer than a batch of 4"),
                both);
        assertTrue(both.contains("FOLDER/text.txt: validation data has 2 tokens, fewer than one sequence of 8"), both);
        Files.createDirectory(folder.resolve("nothing"));
        String none = refusedTraining("data.source=" + folder.resolve("nothing"));
        assertTrue(none.startsWith("penstock: FOLDER/nothing: "), none);
    }

    /** Only a model from elsewhere can know fewer tokens than its tokenizer makes. */
    @Test
    void shouldNameTheByteOfATokenOutOfVocabulary() throws IOException {
        Path checkpoint = trained();
        Path model = folder.resolve("published");
        Files.createDirectory(model);
        String json = Files.readString(checkpoint.resolve("config.json"));
        Files.writeString(
                model.resolve("config.json"), json.replaceAll("\"vocab_size\" ?: ?256", "\"vocab_size\": 110"));
        Files.writeString(folder.resolve("text.txt"), "abc and then z".repeat(40));
        replace("""
                model:
                  architecture: gpt2
                  num_hidden_layers: 2
                  hidden_size: 16
                  num_attention_heads: 2
                  max_position_embeddings: 8
                  vocab_size: 256
                """, "model: {pretrained: published}\n");
        String message = refused("train", config());
        String expected = "FOLDER/text.txt:5: token 110 is not below the model's vocab_size=110";
        assertTrue(message.contains(expected), message);
    }

    @Test
    void shouldRefuseWhatIsNoCheckpoint() throws IOException {
        String folderOfData = folder.toString();
        String data = folder.resolve("text.txt").toString();
        assertEquals(
                "penstock: FOLDER is no checkpoint: it has no config.json\n",
                refused("generate", folderOfData, "--prompt", "a"));
        assertEquals(
                "penstock: FOLDER is no checkpoint: it has no config.json\n",
                refused("evaluate", folderOfData, "--data", data));
        String nowhere = folder.resolve("nowhere").toString();
        assertEquals(
                "penstock: FOLDER/nowhere is no checkpoint: there is no such folder\n",
                refused("generate", nowhere, "--prompt", "a"));
        String message = refused("train", config(), "--resume", nowhere);
        assertTrue(message.startsWith("penstock: FOLDER/nowhere is no checkpoint: it has no manifest.json"), message);
        message = refused("train", config(), "--resume", "latest");
        assertTrue(message.startsWith("penstock: no run 'small' in FOLDER/runs to resume"), message);
    }

    @Test
    void shouldRefuseADamagedCheckpoint() throws IOException {
        Path checkpoint = trained();
        Path shard = checkpoint.resolve("model-00002-of-00002.safetensors");
        byte[] bytes = Files.readAllBytes(shard);
        bytes[bytes.length - 5] ^= 1;
        Files.write(shard, bytes);
        String damaged =
                "penstock: FOLDER/runs/small/checkpoints/step-000002/model-00002-of-00002.safetensors is damaged: sha256 ";
        String data = folder.resolve("text.txt").toString();
        for (String[] command : List.of(
                new String[] {"generate", checkpoint.toString(), "--prompt", "a"},
                new String[] {"evaluate", checkpoint.toString(), "--data", data},
                new String[] {"train", config(), "--set", "training.steps=4", "--resume", "latest"})) {
            String message = refused(command);
            assertTrue(message.startsWith(damaged), message);
        }
        Files.write(shard, Arrays.copyOf(bytes, bytes.length - 1));
        String message = refused("generate", checkpoint.toString(), "--prompt", "a");
        assertTrue(message.contains(" bytes, the manifest says "), message);
        Files.delete(shard);
        message = refused("evaluate", checkpoint.toString(), "--data", data);
        assertTrue(message.contains(" is missing; the manifest lists it"), message);
    }

    @Test
    void shouldRefuseToGoOnFromACheckpointOfAnotherRun() throws IOException {
        String checkpoint = trained().toString();
        String message = refused("train", config(), "--resume", checkpoint);
        assertTrue(message.contains("has done 2 steps, training.steps is 2: raise it"), message);
        replace("steps: 2", "steps: 4");
        message = refused("train", config(), "--resume", checkpoint, "--set", "model.hidden_size=32");
        assertTrue(
                message.contains(
                        "step-000002 is of another model: hidden_size=16 (the config says 32), intermediate_size=64"),
                message);
        message = refused("train", config(), "--resume", checkpoint, "--set", "run.seed=2");
        assertTrue(message.contains("was trained with run.seed=1, the config says 2"), message);
    }
}
