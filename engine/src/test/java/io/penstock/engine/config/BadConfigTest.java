package io.penstock.engine.config;

import static io.penstock.engine.config.ConfigText.SMALL;
import static io.penstock.engine.config.ConfigText.load;
import static io.penstock.engine.config.ConfigText.problems;
import static io.penstock.engine.config.ConfigText.with;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class BadConfigTest {
    private Path folder;

    @BeforeEach
    void writeData(@TempDir Path folder) throws IOException {
        this.folder = folder;
        ConfigText.writeData(folder);
    }

    @Test
    void shouldNameTheNearestKey() {
        assertEquals("""
            c.yaml:2:1: missing key 'model.hidden_size' (a whole number): Width of the residual stream.
            c.yaml:5:3: unknown key 'hiden_size' in model, did you mean 'hidden_size'?\
            """.replace("c.yaml:2:1", "c.yaml:3:3"), problems(folder, with("  hidden_size", "  hiden_size")));
        assertEquals(
                "c.yaml:15:1: unknown key 'paralelism', did you mean 'parallelism'?",
                problems(folder, with("parallelism:", "paralelism:")));
    }

    @Test
    void shouldListTheKeysWhenNoneIsNear() {
        assertEquals(
                "c.yaml:1:20: unknown key 'colour' in run; valid keys: name, directory, seed",
                problems(
                        folder,
                        with("{name: small}", "{name: small, 'colour': red}").replace("'", "")));
    }

    @Test
    void shouldRefuseADuplicateKey() {
        assertEquals(
                "c.yaml:12:3: duplicate key 'steps', first given at c.yaml:11:3",
                problems(folder, with("  steps: 10\n", "  steps: 10\n  steps: 20\n")));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    training.steps=1.5       | training.steps: expected a whole number, found '1.5'
                    training.steps="3"       | training.steps: expected a whole number, found the quoted text "3"
                    training.steps=[1, 2]    | training.steps: expected a whole number, found a list of 2
                    training.steps=          | training.steps: expected a whole number, found nothing
                    training.steps=3000000000 | training.steps: found 3000000000, which does not fit in 32 bits
                    run.seed=99999999999999999999 | run.seed: found 99999999999999999999, which does not fit in 64 bits
                    run.name=a/b             | run.name: expected text that matches [A-Za-z0-9_][A-Za-z0-9_.-]*, found 'a/b'
                    model.tie_word_embeddings=yes | model.tie_word_embeddings: expected true or false, found 'yes'
                    training={}              | -
                    training=fast            | training: expected a mapping of keys, found 'fast'
                    parallelism=atuo         | parallelism: expected the word 'auto' or a mapping of keys, found 'atuo', did you mean 'auto'?
                    parallelism.schedule=1f1n | expected one of gpipe, 1f1b, interleaved-1f1b, zb-h1, zb-v, found '1f1n', did you mean '1f1b'?
                    parallelism.activation_checkpointing=ful | parallelism.activation_checkpointing: expected one of none, selective, full, auto, found 'ful', did you mean 'full'?
                    parallelism.activation_checkpointing=[full, ful, full, full] | expected one of none, selective, full, auto, found 'ful', did you mean 'full'?
                    parallelism.activation_checkpointing={all: full} | expected one of none, selective, full, auto, or a list of them, found a mapping
                    cluster.transport=aeron:ipcc | did you mean 'aeron:ipc'?
                    cluster.memory_per_rank=4 apples | cluster.memory_per_rank: expected a size such as 4GiB, found '4 apples'
                    cluster.memory_per_rank=0.5B | expected a whole number of bytes, found 0.5B
                    training.optimizer.learning_rate=0 | expected greater than 0, found 0.0
                    training.optimizer.learning_rate=.nan | expected a number, found '.nan'
                    training.optimizer.betas=[0.9] | training.optimizer.betas: expected 2 values, found 1
                    training.optimizer.betas=0.9 | training.optimizer.betas: expected a list, each a number, found '0.9'
                    training.optimizer.betas=[0.9, 1.0] | expected at least 0 and less than 1, found 1.0
                    training.optimizer.name=adam | expected 'adamw', found 'adam', did you mean 'adamw'?
                    cluster.master.port=65536 | cluster.master.port: expected at least 0 and at most 65535, found 65536
                    """)
    void shouldSayWhatWasExpectedAndFound(String override, String message) {
        String found = problems(folder, SMALL, override);
        if (!message.equals("-")) {
            assertEquals(1, found.lines().count(), found);
            assertTrue(found.startsWith("--set " + override + ": "), found);
            assertTrue(found.contains(message), found);
        } else {
            assertEquals(
                    3,
                    found.lines()
                            .filter(line -> line.contains("missing key 'training."))
                            .count(),
                    found);
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    model.num_attention_heads=5 | heads must divide the hidden size: hidden_size=48 % num_attention_heads=5 = 3; the nearest number of heads that does is 4
                    parallelism.pipeline=7      | more stages than layers: pipeline=7 * chunks=1 = 7 stages, the model has 6 layers (embedding, 4 blocks, head)
                    training.global_batch_size=15 | global_batch_size=15 % (micro_batch_size=2 * data=1) = 1, expected 0; the nearest batch that divides is 16
                    training.sequence_length=65 | sequence_length=65 is more than max_position_embeddings=64 of the model
                    model.vocab_size=100        | the bytes tokenizer makes 256 tokens, more than the model's vocab_size=100
                    data.tokenizer=gpt2         | the gpt2 tokenizer makes 50257 tokens, more than the model's vocab_size=256
                    training.learning_rate_schedule.warmup_steps=11 | warmup_steps=11 is more than steps=10
                    cluster.transport=memory    | transport: memory reaches only ranks in one JVM
                    parallelism.chunks=2        | schedule: 1f1b needs chunks: 1, found chunks: 2; the nearest layout that is possible: {pipeline: 2, tensor: 1, data: 1, chunks: 1, schedule: 1f1b}
                    parallelism.offload=parameters | offload: parameters needs zero_stage: 3
                    parallelism.data=16         | global_batch_size=16 % (micro_batch_size=2 * data=16) = 16, expected 0; the nearest batch that divides is 32; the nearest layout that is possible: {pipeline: 2, tensor: 1, data: 8, chunks: 1, schedule: 1f1b}
                    training.gradient_sum.width=6 | gradient_sum.width=6: expected a power of two (gradients are summed as a balanced binary tree); the nearest is 4
                    training.gradient_sum.leaf=3 | micro-batches of a replica=
                    training.micro_batch_size=0 | missing key 'training.micro_batch_size' (a whole number): only parallelism: auto can choose it
                    parallelism.activation_checkpointing=[none, full] | activation_checkpointing lists 2 layers, the model has num_hidden_layers=4; give one word for all, or one for each
                    parallelism.activation_checkpointing=[none, full, auto, none] | activation_checkpointing: auto chooses for every layer: give it alone, not in a list
                    parallelism.activation_checkpointing=[] | activation_checkpointing: expected one word, or one for each layer, found an empty list
                    data.source=nowhere.txt     | no such file or folder: /
                    """)
    void shouldRefuseKeysThatContradictEachOther(String override, String message) {
        String found = problems(folder, SMALL, override);
        assertEquals(1, found.lines().count(), found);
        assertTrue(found.startsWith("--set " + override + ": " + message), found);
    }

    @Test
    void shouldPlaceAContradictionWhereTheUserWroteIt() {
        assertTrue(problems(folder, with("global_batch_size: 16", "global_batch_size: 15"))
                .startsWith("c.yaml:12:22: global_batch_size=15 % "));
    }

    @ParameterizedTest
    @ValueSource(strings = {"[none, activations]", "[optimizer, optimizer]", "[]"})
    void shouldRefuseWordsOfOffloadThatContradictEachOther(String words) {
        assertEquals(
                "--set parallelism.offload=" + words
                        + ": offload: expected none alone, or one or more of optimizer, parameters and activations, each"
                        + " once, found " + words,
                problems(folder, SMALL, "parallelism.offload=" + words));
    }

    @Test
    void shouldRefuseWhatAGpuCannotDoYet() {
        String gpu = SMALL + "cluster: {device: cuda}\n";
        for (String offload : List.of("optimizer", "activations")) {
            String files = problems(folder, gpu, "parallelism.offload=" + offload);
            assertTrue(
                    files.contains("[" + offload
                            + "] with cluster.device: cuda needs cluster.offload_store.kind: host, found files"),
                    files);
            load(folder, gpu, "parallelism.offload=" + offload, "cluster.offload_store.kind=host");
        }
        load(folder, gpu, "parallelism=auto");
        String auto = problems(folder, gpu, "parallelism={auto: true, offload: optimizer}");
        assertTrue(auto.contains("needs cluster.offload_store.kind: host, found files"), auto);
        load(folder, gpu);
        String many = problems(folder, gpu, "parallelism.tensor=128");
        assertTrue(many.contains("at most 64 tensor-parallel ranks hold, found 128"), many);
        String fewer = problems(folder, gpu, "parallelism.tensor=64");
        assertFalse(fewer.contains("at most 64 tensor-parallel ranks"), fewer);
    }

    @Test
    void shouldNotLetRanksThatStartAloneChooseByTheirMemory() {
        String environment = SMALL + "cluster: {launch: environment}\n";
        assertTrue(problems(folder, environment, "parallelism.activation_checkpointing=auto")
                .contains("activation_checkpointing: auto with launch: environment needs cluster.memory_per_rank"));
        load(folder, environment, "parallelism.activation_checkpointing=auto", "cluster.memory_per_rank=1GiB");
    }

    @Test
    void shouldTakeExactlyOneKindOfModel() {
        assertEquals(
                "c.yaml:3:3: model: expected exactly one of architecture, preset, pretrained, found none",
                problems(folder, with("  architecture: gpt2\n", "")));
        assertTrue(problems(folder, SMALL, "model.preset=gpt2-124m")
                .contains("expected exactly one of architecture, preset, pretrained, found architecture and preset"));
        assertTrue(problems(folder, SMALL, "model={pretrained: nowhere}").contains("no model in /"));
        assertTrue(problems(folder, SMALL, "model={preset: gpt2-124M}").contains("did you mean 'gpt2-124m'?"));
    }

    @Test
    void shouldRefuseAnEmptyDataFileAndAMissingOne() throws IOException {
        Files.writeString(folder.resolve("text.txt"), "");
        assertEquals("c.yaml:9:16: the data file is empty: " + folder.resolve("text.txt"), problems(folder, SMALL));
        Files.delete(folder.resolve("text.txt"));
        assertEquals("c.yaml:9:16: no such file or folder: " + folder.resolve("text.txt"), problems(folder, SMALL));
    }

    @Test
    void shouldSayWhereTextStopsBeingYaml() {
        String found = problems(folder, "run: {name: x\nmodel: y\n");
        assertEquals(1, found.lines().count(), found);
        assertTrue(found.startsWith("c.yaml:2:6: not YAML: "), found);
        assertTrue(
                problems(folder, "just words").startsWith("c.yaml:1:1: expected a mapping of sections, found 'just"));
        assertTrue(problems(folder, "").contains("c.yaml:1:1: missing key 'run.name'"));
    }

    @Test
    void shouldReportEveryProblemAtOnceInFileOrder() {
        String yaml = SMALL.replace("hidden_size: 48", "hidden_size: 50")
                .replace("steps: 10", "steps: ten")
                .replace("vocab_size: 256", "vocab_size: 256\n  vocab_sise: 3")
                .replace("{pipeline: 2}", "{pipeline: 9, data: 2, data: 3}");
        String found = problems(folder, yaml, "logging.evry=1", "training.precision=f8");
        assertEquals("""
                c.yaml:6:24: heads must divide the hidden size: hidden_size=50 % num_attention_heads=4 = 2; the nearest number of heads that does is 5
                c.yaml:9:3: unknown key 'vocab_sise' in model, did you mean 'vocab_size'?
                c.yaml:12:10: training.steps: expected a whole number, found 'ten'
                c.yaml:16:25: more stages than layers: pipeline=9 * chunks=1 = 9 stages, the model has 6 layers (embedding, 4 blocks, head); the nearest layout that is possible: {pipeline: 6, tensor: 1, data: 2, chunks: 1, schedule: 1f1b}
                c.yaml:16:37: duplicate key 'data', first given at c.yaml:16:28
                --set training.precision=f8: training.precision: expected one of f32, bf16, f16, found 'f8', did you mean 'f16'?
                --set logging.evry=1: unknown key 'evry' in logging, did you mean 'every'?""", found);
    }
}
