package io.penstock.engine.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What {@code plan} must refuse: exit code 2 for what cannot be, 3 for what does not fit, with the numbers and never a stack trace. */
final class PlanBadInputTest {
    private static final Path HOME = Path.of(System.getProperty("penstock.home", ".."));

    private final StringWriter err = new StringWriter();

    private int plan(String example, String overrides) {
        List<String> arguments = new ArrayList<>(
                List.of("plan", HOME.resolve("examples/" + example + ".yaml").toString()));
        for (String override : overrides.strip().split(" +", -1)) {
            arguments.addAll(List.of("--set", override));
        }
        PrintStream nothing = new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8);
        return Main.commandLine(List.of(new PlanCommand(new PlanAction(nothing))))
                .setErr(new PrintWriter(err))
                .execute(arguments.toArray(String[]::new));
    }

    private void assertRefused(int code, String example, String overrides, String words) {
        assertEquals(code, plan(example, overrides), err::toString);
        assertTrue(err.toString().contains(words), () -> "expected '" + words + "' in: " + err);
        assertFalse(err.toString().contains("\tat "), err::toString);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "cluster.devices=0                    | expected at least 1 and at most 10000000, found 0",
                "cluster.devices=12                   | devices=12 % devices_per_node=8 = 4, expected 0",
                "cluster.devices_per_node=0           | expected at least 1",
                "cluster.network_bandwidth=0          | expected greater than 0, found 0",
                "cluster.node_bandwidth=0             | expected greater than 0, found 0",
                "cluster.pipeline_bandwidth=-1        | expected greater than 0, found -1",
                "cluster.memory_per_device=nothing    | expected a size such as 4GiB",
                "cluster.preset=b100                  | expected one of a100-80gb-hdr",
                "parallelism.pipeline=83              | more stages than layers: 83 stages, the model has 82 layers",
                "parallelism.pipeline=64 parallelism.chunks=2 | more stages than layers: 128 stages, the model has 82 layers",
                "parallelism.tensor=7                 | num_attention_heads=64 % tensor=7 = 1, expected 0",
                "parallelism.tensor=8 parallelism.data=3 | is no multiple of the product of the axes that are given, 24",
                "parallelism.tensor=8 parallelism.pipeline=2 parallelism.data=2 | is not the product of the axes that are given, 32",
                "training.micro_batch_size=3          | global_batch_size=512 % (micro_batch_size * data = 3) = 2",
                "training.sequence_length=0           | expected at least 1",
                "model.hidden_size=8190               | hidden_size=8190 % num_attention_heads=64",
                "parallelism.offload=disk             | expected one of none, optimizer, activations, optimizer-and-activations",
                "parallelism.schedule_file=mine.txt   | unknown key",
                "training.global_batch_size=7 parallelism.data=7 | devices=64 is no multiple of"
            })
    void shouldRefuseAnImpossibleCluster(String overrides, String words) {
        assertRefused(2, "plan-llama-70b-64xh100", overrides, words);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "cluster.devices=4                                | GiB instead of 80.0 GiB",
                "cluster.devices=4                                | devices instead of 4",
                "cluster.memory_per_device=4GiB                   | devices of ",
                "parallelism.tensor=1 parallelism.pipeline=1 parallelism.zero_stage=0   | zero_stage=3 instead of 0",
                "parallelism.tensor=1 parallelism.pipeline=1 parallelism.zero_stage=0   | tensor=",
            })
    void shouldSayWhatWouldMakeItFit(String overrides, String words) {
        assertRefused(3, "plan-llama-70b-64xh100", overrides, words);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "parallelism.pipeline=15   | more stages than layers: pipeline=15 * chunks=1 = 15 stages, the model has 14 layers",
                "parallelism.split=[5,10]  | split has 15 layers, the model 14 (embedding, 12 blocks, head): is it the split of another model?",
                "parallelism.split=[14]    | split has 1 stages, pipeline=2 * chunks=1 = 2",
                "parallelism.data=3        | a power of two"
            })
    void shouldRefuseAnImpossibleRun(String overrides, String words) {
        assertRefused(2, "gpt2-124m", overrides + " data.source=" + HOME.resolve("pom.xml"), words);
    }
}
