package io.penstock.engine.config;

import static io.penstock.engine.config.ConfigText.SMALL;
import static io.penstock.engine.config.ConfigText.load;
import static io.penstock.engine.config.ConfigText.problems;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.penstock.engine.config.yaml.ConfigException;
import io.penstock.models.tokens.Tokenizers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ConfigLoaderTest {
    private Path folder;

    @BeforeEach
    void writeData(@TempDir Path folder) throws IOException {
        this.folder = folder;
        ConfigText.writeData(folder);
    }

    @Test
    void shouldFillInDefaults() {
        Config config = load(folder, SMALL);
        assertEquals(
                Path.of("runs").toAbsolutePath().resolve("small"), config.run().folder());
        assertEquals(Precision.BF16, config.training().precision());
        assertEquals(List.of(0.9, 0.95), config.training().optimizer().betas());
        assertEquals(1e-3, config.training().optimizer().learningRate());
        assertEquals(ScheduleName.ONE_F_ONE_B, config.layout().schedule());
        assertEquals(TransportKind.AUTO, config.cluster().transport());
        assertEquals(Optional.empty(), config.cluster().memoryPerRank());
        assertEquals(Launch.PROCESSES, config.cluster().launch());
        assertEquals(5_000_000_000L, config.cluster().failureTimeoutNs());
        assertEquals(8, config.microBatches());
        assertEquals(192, config.model().described().orElseThrow().toModel().intermediateSize());
    }

    @Test
    void shouldWriteWhatItReads() {
        Config config = load(
                folder,
                SMALL,
                "cluster.memory_per_rank=1.5GiB",
                "logging.sample_prompt=\"a\\n\\\"b\\\" \\u00e9: #\"",
                "training.optimizer.betas=[0.5, 0.25]",
                "training.optimizer.learning_rate=3.0000000000000004e-4",
                "data.extensions=[.java, .md]",
                "parallelism.activation_checkpointing=[none, full, selective, none]",
                "run.name=true",
                "run.seed=-9223372036854775808");
        Config again = load(Path.of("/elsewhere"), config.toYaml());
        assertEquals(config, again);
        assertEquals(config.toYaml(), again.toYaml());
        assertEquals(config.digest(), again.digest());
        assertTrue(config.toYaml().contains("memory_per_rank: 1536MiB\n"), config.toYaml());
    }

    @Test
    void shouldTakeAWordForAllLayersOrOneForEach() {
        Config all = load(folder, SMALL, "parallelism.activation_checkpointing=selective");
        assertEquals(List.of(ActivationCheckpointing.SELECTIVE), all.layout().activationCheckpointing());
        assertTrue(all.toYaml().contains("activation_checkpointing: selective\n"), all.toYaml());
        Config each = load(folder, SMALL, "parallelism.activation_checkpointing=[none, full, selective, none]");
        assertTrue(each.toYaml().contains("activation_checkpointing: [none, full, selective, none]\n"), each.toYaml());
    }

    @Test
    void shouldWriteAPresetAsItsName() {
        String preset = SMALL.replaceAll("(?s)model:.*data:", "model: {preset: gpt2-124m}\ndata:");
        Config config = load(folder, preset);
        assertEquals(50257, config.model().described().orElseThrow().vocabSize());
        assertEquals(config, load(folder, config.toYaml()));
    }

    @Test
    void shouldKnowTheTokenizersOfTheModels() {
        for (TokenizerKind kind : TokenizerKind.values()) {
            assertEquals(
                    kind.vocabularySize(),
                    Tokenizers.find(kind.toString()).orElseThrow().vocabularySize());
        }
        assertEquals(Tokenizers.names().size(), TokenizerKind.values().length);
    }

    @Test
    void shouldChangeTheDigestWithAnyKey() {
        assertNotEquals(
                load(folder, SMALL).digest(), load(folder, SMALL, "run.seed=2").digest());
    }

    @Test
    void shouldResolveInputsBesideTheFileAndOverridesInTheWorkingFolder() {
        assertEquals(
                folder.resolve("text.txt").toAbsolutePath(),
                load(folder, SMALL).data().source().path());
        assertEquals(
                Path.of("pom.xml").toAbsolutePath(),
                load(folder, SMALL, "data.source=pom.xml").data().source().path());
    }

    @Test
    void shouldOverrideAnyKeyAndAddSections() {
        Config config = load(folder, SMALL, "training.steps=3", "training.steps=4", "checkpoint.every=2");
        assertEquals(4, config.training().steps());
        assertEquals(2, config.checkpoint().every());
        assertEquals(
                1, load(folder, SMALL, "parallelism={pipeline: 1}").layout().ranks());
        assertEquals(
                3,
                load(folder, SMALL.replace("{pipeline: 2}", "auto"), "parallelism.pipeline=3")
                        .layout()
                        .pipeline());
    }

    @Test
    void shouldNameTheOverrideInItsProblem() {
        assertEquals(
                "--set training.stepz=3: unknown key 'stepz' in training, did you mean 'steps'?",
                problems(folder, SMALL, "training.stepz=3"));
        assertEquals(
                "--set training.steps=many: training.steps: expected a whole number, found 'many'",
                problems(folder, SMALL, "training.steps=many"));
        assertEquals(
                "--set steps: expected section.key=value, as in --set training.steps=10",
                problems(folder, SMALL, "steps"));
        assertTrue(problems(folder, SMALL, "run.name=[").startsWith("--set run.name=[: not YAML: "));
    }

    @Test
    void shouldReadAFileAndNameItAsTheUserDid() throws IOException {
        Path file = folder.resolve("a.yaml");
        Files.writeString(file, SMALL.replace("steps: 10", "steps: 0"));
        ConfigException e = assertThrows(ConfigException.class, () -> ConfigLoader.load(file, List.of()));
        assertEquals(file + ":11:10: training.steps: expected at least 1, found 0", e.getMessage());
    }

    @Test
    void shouldRefuseAFileThatIsNotThereOrNotText() throws IOException {
        Path missing = folder.resolve("missing.yaml");
        ConfigException e = assertThrows(ConfigException.class, () -> ConfigLoader.load(missing, List.of()));
        assertEquals(missing + ": no such file", e.getMessage());
        Path binary = folder.resolve("binary.yaml");
        Files.write(binary, new byte[] {'a', (byte) 0xff});
        e = assertThrows(ConfigException.class, () -> ConfigLoader.load(binary, List.of()));
        assertTrue(String.valueOf(e.getMessage()).contains("is not UTF-8 text"), e.getMessage());
    }

    @Test
    void shouldHoldAConfigBuiltInJavaToTheSameRules() {
        Config config = load(folder, SMALL);
        Layout layout = new Layout(7, 1, 1, 1, ScheduleName.GPIPE, 0, 2, ActivationCheckpointing.NONE, Offload.NONE);
        ConfigException e = assertThrows(
                ConfigException.class,
                () -> new Config(
                        config.run(),
                        config.model(),
                        config.data(),
                        config.training(),
                        layout,
                        config.cluster(),
                        config.checkpoint(),
                        config.logging()));
        assertTrue(
                String.valueOf(e.getMessage()).startsWith("parallelism.pipeline: more stages than layers"),
                e.getMessage());
        IllegalArgumentException range =
                assertThrows(IllegalArgumentException.class, () -> new CheckpointConfig(-1, 0));
        assertEquals("every: expected at least 0, found -1; keep: expected at least 1, found 0", range.getMessage());
    }
}
