package io.penstock.engine.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Primes, negative numbers and numbers beyond all sense: an error with the number and the right exit code, soon and without a stack trace. */
@Timeout(60)
final class StrangeInputTest extends CommandTest {
    @BeforeEach
    void writeConfig() throws IOException {
        Files.writeString(folder.resolve("other.txt"), "name: other\nmicro-batches: 2\nstages 0: F0 B0 F1 B1\n");
        Files.writeString(folder.resolve("long.txt"), "name: long\nmicro-batches: 2000000000\nstages 0: F0 B0\n");
        Files.writeString(folder.resolve("huge.txt"), "name: huge\nmicro-batches: 4\nstages 0: F99999999999 B0\n");
        Files.writeString(folder.resolve("far.txt"), "name: far\nmicro-batches: 4\nstages 2000000000: F0 B0\n");
        write("Nobody would ask for that. ".repeat(50), """
                run: {name: small, directory: RUNS}
                model: {architecture: gpt2, num_hidden_layers: 3, hidden_size: 39, num_attention_heads: 3, max_position_embeddings: 17, vocab_size: 257}
                data: {source: text.txt}
                training: {steps: 2, global_batch_size: 28, micro_batch_size: 7, sequence_length: 17}
                parallelism: {pipeline: 1}
                cluster: {launch: threads}
                logging: {sample_tokens: 0}
                """);
    }

    private int plan(String file, String overrides) {
        List<String> arguments = new ArrayList<>(List.of("plan", file));
        for (String override : overrides.strip().split(" ", -1)) {
            if (override.startsWith("--")) {
                arguments.add(override);
            } else if (!override.isEmpty()) {
                arguments.add("--set");
                arguments.add(override.replace("FOLDER", folder.toString()).replace(";", ","));
            }
        }
        return run(arguments.toArray(String[]::new));
    }

    private void check(String words) {
        String said = err.toString();
        assertFalse(said.contains("\tat ") || said.contains("a defect of Penstock"), said);
        assertTrue(said.contains(words), () -> "expected '" + words + "' in: " + said);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "0 | parallelism.pipeline=5                       | ",
                "2 | parallelism.pipeline=7                       | 7 stages, the model has 5 layers",
                "2 | parallelism.pipeline=65536                   | 65536 stages",
                "2 | parallelism.pipeline=65536 parallelism.tensor=65536 parallelism.data=65536 | 65536",
                "2 | parallelism.pipeline=5 parallelism.chunks=13 parallelism.schedule=interleaved-1f1b | 65 stages",
                "2 | parallelism.tensor=2                         | num_attention_heads=3 % tensor=2 = 1",
                "0 | parallelism.tensor=3                         | ",
                "2 | parallelism.data=7                           | a power of two",
                "2 | training.micro_batch_size=-1                 | found -1",
                "2 | training.steps=-5                            | found -5",
                "2 | parallelism.chunks=-1                        | found -1",
                "2 | parallelism.zero_window=-2                   | found -2",
                "2 | parallelism.zero_stage=4                     | found 4",
                "2 | training.global_batch_size=9999999999        | 9999999999",
                "2 | training.global_batch_size=2147483647        | 2147483647",
                "2 | training.global_batch_size=2147483647 training.micro_batch_size=1 | 2147483647",
                "3 | training.global_batch_size=2147483647 training.micro_batch_size=2147483647 | needs",
                "2 | training.micro_batch_size=2147483647 parallelism.data=2 | 2147483647",
                "2 | model.num_hidden_layers=2147483647           | 2147483647",
                "2 | model.hidden_size=2147483647 model.num_attention_heads=1 | 2147483647",
                "3 | model.vocab_size=2147483647                  | needs",
                "2 | model.max_position_embeddings=2147483647 training.sequence_length=2147483647 | 2147483647",
                "3 | model.intermediate_size=2147483647           | needs",
                "2 | parallelism.split=[2147483647;2147483647] parallelism.pipeline=2 | 4294967294 layers",
                "2 | parallelism.split=[-1]                       | found -1",
                "2 | training.gradient_sum.width=1073741824       | 1073741824",
                "2 | training.gradient_sum.width=2147483647       | 2147483647",
                "2 | training.gradient_sum.leaf=2147483647        | 2147483647",
                "2 | cluster.memory_per_rank=-4GiB                | -4GiB",
                "2 | cluster.memory_per_rank=0                    | found 0",
                "2 | cluster.memory_per_rank=99999999TiB          | 99999999TiB",
                "3 | cluster.memory_per_rank=1B                   | needs",
                "2 | cluster.threads_per_rank=1000000             | 1000000",
                "2 | training.optimizer.learning_rate=1e999       | 1e999",
                "2 | training.optimizer.learning_rate=.nan        | .nan",
                "2 | cluster.failure_timeout=1e300                | 1e300",
                "2 | run.seed=99999999999999999999                | 99999999999999999999",
                "2 | parallelism.schedule_file=FOLDER/other.txt   | 2",
                "2 | parallelism.schedule_file=FOLDER/long.txt    | 2000000000",
                "2 | parallelism.schedule_file=FOLDER/huge.txt    | F99999999999",
                "2 | parallelism.schedule_file=FOLDER/far.txt     | 2000000000",
                "2 | parallelism.schedule_file=FOLDER/none.txt    | none.txt",
                "2 | parallelism.activation_checkpointing=[full;full] | lists 2 layers",
                "2 | --tokens=-1                                  | -1",
                "2 | --tokens=1e999                               | found Infinity",
                "2 | --price-per-hour=-1                          | -1",
                "2 | --price-per-hour=NaN                         | NaN",
            })
    void shouldAnswerForARun(int code, String overrides, String words) {
        assertEquals(code, plan(config, overrides), err::toString);
        check(words == null ? "" : words);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "2 | cluster.devices=9973                         | devices=9973 % devices_per_node=8 = 5",
                "2 | cluster.devices=-8                           | found -8",
                "2 | cluster.network_bandwidth=.inf               | .inf",
                "2 | cluster.network_bandwidth=.nan               | .nan",
                "2 | cluster.memory_per_device=-80GiB             | -80GiB",
                "2 | training.global_batch_size=2147483647        | 2147483647",
                "2 | training.sequence_length=2147483647          | 2147483647",
                "3 | training.sequence_length=100000000           | sequence_length",
                "2 | model.hidden_size=2147483647                 | 2147483647",
                "2 | model.num_hidden_layers=2147483647           | 2147483647",
                "2 | model.num_hidden_layers=9973                 | found 9973",
                "3 | model.intermediate_size=2147483647           | devices",
                "2 | model.num_key_value_heads=7                  | 7",
                "2 | parallelism.pipeline=61                      | 61",
                "2 | cluster.price_per_hour=-1                    | found -1",
                "2 | training.tokens=0                            | found 0",
            })
    void shouldAnswerForACluster(int code, String overrides, String words) {
        assertEquals(
                code, plan(HOME.resolve("examples/plan-llama-70b-64xh100.yaml").toString(), overrides), err::toString);
        check(words);
    }
}
