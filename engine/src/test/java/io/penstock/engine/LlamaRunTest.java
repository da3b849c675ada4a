package io.penstock.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.penstock.engine.config.Config;
import io.penstock.engine.config.ConfigLoader;
import io.penstock.engine.generation.Generator;
import io.penstock.engine.generation.LoadedModel;
import io.penstock.models.weights.ModelFolder;
import io.penstock.models.weights.SafetensorsFile;
import io.penstock.models.weights.StoredTensor;
import io.penstock.tensor.Backend;
import io.penstock.tensor.cpu.CpuBackend;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A Llama from a configuration to a checkpoint in Hugging Face's layout, a text, and a run that trains on from it. */
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class LlamaRunTest {
    private static final String YAML = """
            run: {name: llama}
            model:
              architecture: llama
              num_hidden_layers: 2
              hidden_size: 32
              num_attention_heads: 4
              num_key_value_heads: 2
              intermediate_size: 48
              max_position_embeddings: 16
              vocab_size: 256
            data: {source: text.txt}
            training:
              steps: 20
              global_batch_size: 8
              micro_batch_size: 2
              sequence_length: 16
              optimizer: {learning_rate: 1.0e-2}
            parallelism: {pipeline: 2}
            cluster: {launch: threads}
            """;

    private final Path folder;

    LlamaRunTest(@TempDir Path folder) throws IOException {
        this.folder = folder;
        Files.writeString(folder.resolve("text.txt"), "the quick brown fox jumps over the lazy dog\n".repeat(400));
    }

    private Config config(String yaml, String... overrides) {
        List<String> all = new ArrayList<>(List.of("run.directory=" + folder.resolve("runs")));
        all.addAll(List.of(overrides));
        return ConfigLoader.parse(yaml, "test", folder, all);
    }

    /** The losses of its steps. */
    private static List<Double> train(Config config, List<Path> checkpoints) {
        List<Double> losses = new ArrayList<>();
        TrainingRun.Result result = TrainingRun.of(config)
                .listener(step -> losses.add(step.loss()))
                .prepare()
                .train();
        checkpoints.add(result.checkpoint());
        return losses;
    }

    @Test
    void shouldTrainSaveGenerateAndTrainOn() throws IOException {
        List<Path> checkpoints = new ArrayList<>();
        List<Double> losses = train(config(YAML), checkpoints);
        assertTrue(losses.getLast() < losses.getFirst() - 1, losses.toString());
        Path first = checkpoints.getFirst();
        assertEquals(config(YAML).model().described().orElseThrow().toModel(), ModelFolder.config(first));
        Set<String> names = names(first);
        assertEquals(2 * 9 + 3, names.size(), names.toString());
        assertTrue(
                names.containsAll(Set.of(
                        "model.embed_tokens.weight [256, 32]",
                        "model.layers.1.self_attn.k_proj.weight [16, 32]",
                        "model.layers.0.mlp.down_proj.weight [32, 48]",
                        "model.norm.weight [32]",
                        "lm_head.weight [256, 32]")),
                names.toString());
        StringBuilder text = new StringBuilder();
        try (Backend backend = new CpuBackend(1);
                LoadedModel model = LoadedModel.open(first, 1, backend);
                Generator generator = new Generator(model, backend)) {
            generator.generate("the ", new Generator.Sampling(12, 0, 1), text::append);
        }
        assertFalse(text.isEmpty());

        String pretrained = YAML.replaceAll("(?s)model:\n.*data:", "model: {pretrained: '" + first + "'}\ndata:");
        List<Double> further = train(config(pretrained, "run.name=further", "parallelism.tensor=2"), checkpoints);
        assertTrue(Math.abs(further.getFirst() - losses.getLast()) < 0.5, losses + " then " + further);
        assertEquals(names, names(checkpoints.get(1)));
    }

    private static Set<String> names(Path checkpoint) throws IOException {
        Set<String> names = new TreeSet<>();
        try (var files = Files.list(checkpoint)) {
            for (Path file : files.filter(path -> path.getFileName().toString().startsWith("model")
                            && path.toString().endsWith(".safetensors"))
                    .toList()) {
                try (SafetensorsFile weights = SafetensorsFile.open(file)) {
                    for (StoredTensor tensor : weights.tensors()) {
                        names.add(tensor.name() + " " + tensor.shape());
                    }
                }
            }
        }
        return names;
    }

    @Test
    void shouldRefuseWhatBelongsToTheOtherFamilyOrDoesNotDivide() {
        assertRefused(
                "layer_norm_epsilon is no key of architecture llama, which has rms_norm_eps",
                "model.layer_norm_epsilon=1e-5");
        assertRefused(
                "rope_theta is no key of architecture gpt2",
                "model.architecture=gpt2",
                "model.rope_theta=100",
                "model.num_key_value_heads=4");
        assertRefused("num_attention_heads=4 % num_key_value_heads=3 = 1", "model.num_key_value_heads=3");
        assertRefused(
                "num_key_value_heads=2 % tensor=4 = 2, expected 0", "parallelism.tensor=4", "parallelism.pipeline=1");
        assertRefused("= 3, expected an even number", "model.hidden_size=12");
    }

    private void assertRefused(String expected, String... overrides) {
        RuntimeException error = assertThrows(RuntimeException.class, () -> config(YAML, overrides));
        assertTrue(String.valueOf(error.getMessage()).contains(expected), error.getMessage());
    }
}
