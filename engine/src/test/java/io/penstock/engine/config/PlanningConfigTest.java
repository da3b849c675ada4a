package io.penstock.engine.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.penstock.engine.config.yaml.ConfigException;
import io.penstock.engine.config.yaml.Problem;
import io.penstock.engine.config.yaml.Reference;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Files that describe a cluster; {@code -Dpenstock.write.docs=true} writes the reference page anew. */
final class PlanningConfigTest {
    private static final Path HOME = Path.of(System.getProperty("penstock.home", ".."));
    private static final Path LLAMA = HOME.resolve("examples/plan-llama-70b-64xh100.yaml");
    private static final String MARK = "<!-- made from the records; PlanningConfigTest compares it -->\n";

    private static String problems(String override) {
        ConfigException e =
                assertThrows(ConfigException.class, () -> PlanningConfigLoader.load(LLAMA, List.of(override)));
        return String.join("\n", e.problems().stream().map(Problem::toString).toList());
    }

    @Test
    void shouldTellPlansFromRuns() {
        assertTrue(PlanningConfigLoader.describes(LLAMA, List.of()));
        assertFalse(PlanningConfigLoader.describes(HOME.resolve("examples/quickstart.yaml"), List.of()));
        ConfigException e = assertThrows(ConfigException.class, () -> ConfigLoader.load(LLAMA, List.of()));
        assertEquals(1, e.problems().size());
        assertTrue(String.valueOf(e.getMessage()).contains("which only 'penstock plan' does"), e.getMessage());
    }

    @Test
    void shouldReadWhatIsGivenAndLeaveTheRestToThePlan() {
        PlanningConfig config = PlanningConfigLoader.load(LLAMA, List.of("parallelism={tensor: 4, schedule: zb-h1}"));
        PinnedLayout pinned = config.parallelism().pinned();
        assertEquals(Optional.of(4), pinned.tensor());
        assertEquals(Optional.of(ScheduleName.ZB_H1), pinned.schedule());
        assertEquals(Optional.empty(), pinned.pipeline());
        assertEquals(
                PinnedLayout.NOTHING,
                PlanningConfigLoader.load(LLAMA, List.of()).parallelism().pinned());
        assertEquals(70.55e9, config.model().toTransformer(8192).parameters(), 0.01e9);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    cluster.network_bandwidth=0 | cluster.network_bandwidth: expected greater than 0, found 0.0
                    cluster.devices=0           | cluster.devices: expected at least 1 and at most 10000000, found 0
                    cluster.preset=h101         | expected one of a100-80gb-hdr, h100-sxm-ndr, h200-ndr, found 'h101'
                    parallelism.pipeline=83     | more stages than layers: 83 stages, the model has 82 layers (embedding, 80 blocks, head)
                    parallelism.tensor=3        | num_attention_heads=64 % tensor=3 = 1, expected 0
                    parallelism={tensor: 8, pipeline: 4, data: 1} | devices=64 is not the product of the axes that are given, 32
                    parallelism.data=128        | devices=64 is no multiple of the product of the axes that are given, 128
                    training.micro_batch_size=3 | global_batch_size=512 % (micro_batch_size * data = 3) = 2, expected 0
                    model.num_key_value_heads=7 | num_attention_heads=64 % num_key_value_heads=7 = 1, expected 0
                    model.architecture=lama     | expected one of gpt2, llama, found 'lama', did you mean 'llama'?
                    cluster.launch=threads      | unknown key 'launch' in cluster
                    """)
    void shouldRefuseWhatCannotBe(String override, String message) {
        String found = problems(override);
        assertTrue(found.startsWith("--set " + override), found);
        assertTrue(found.contains(message), found);
    }

    @Test
    void shouldBeThePageOfTheRecords() throws IOException {
        Path page = HOME.resolve("docs/plan.md");
        String text = Files.readString(page);
        int end = text.indexOf(MARK) + MARK.length();
        String expected =
                text.substring(0, end) + Reference.markdown(PlanningConfig.class, ConfigLoader.scalarTypes(HOME));
        if (Boolean.getBoolean("penstock.write.docs")) {
            Files.writeString(page, expected);
        }
        assertEquals(expected, Files.readString(page));
    }

    @Test
    void shouldLeaveAKeyOrAllToThePlan(@TempDir Path folder) throws IOException {
        ConfigText.writeData(folder);
        String automatic = ConfigText.SMALL.replace("{pipeline: 2}", "auto");
        assertTrue(ConfigText.load(folder, automatic, "training.micro_batch_size=0")
                .isAuto());
        String partly = ConfigText.SMALL.replace("{pipeline: 2}", "{auto: true, pipeline: 2}");
        assertEquals(
                new PartlyAutoLayout(
                        true,
                        Optional.of(2),
                        Optional.empty(),
                        Optional.empty(),
                        Optional.empty(),
                        Optional.empty(),
                        Optional.empty(),
                        List.of(),
                        Optional.empty(),
                        List.of()),
                ConfigText.load(folder, partly).parallelism());
        assertTrue(ConfigText.problems(folder, partly, "parallelism.auto=false").contains("auto: false"));
        assertTrue(ConfigText.problems(folder, automatic, "training.micro_batch_size=3")
                .contains("global_batch_size=16 % micro_batch_size=3 = 1"));
        Config automaticConfig = ConfigText.load(folder, partly);
        assertEquals(automaticConfig, ConfigText.load(folder, automaticConfig.toYaml()));
    }
}
