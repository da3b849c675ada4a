package io.penstock.engine.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
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

final class GivenOrderTest {
    /** GPipe on two ranks with the eight micro-batches of {@link ConfigText#SMALL}. */
    private static final String GPIPE = """
            name: mine
            micro-batches: 8
            stages 0: F0 F1 F2 F3 F4 F5 F6 F7 B0 B1 B2 B3 B4 B5 B6 B7
            stages 1: F0 F1 F2 F3 F4 F5 F6 F7 B0 B1 B2 B3 B4 B5 B6 B7
            """;

    private static final String ORDERED =
            ConfigText.SMALL.replace("{pipeline: 2}", "{pipeline: 2, schedule_file: mine.txt, split: [2, 4]}");

    @TempDir
    private Path folder = Path.of("");

    @BeforeEach
    void write() throws IOException {
        ConfigText.writeData(folder);
        order(GPIPE);
    }

    private void order(String text) throws IOException {
        Files.writeString(folder.resolve("mine.txt"), text);
    }

    private void assertProblem(String words, String... overrides) {
        String problems = ConfigText.problems(folder, ORDERED, overrides);
        assertTrue(problems.contains(words), problems);
    }

    @Test
    void shouldReadAScheduleBesideTheConfigAndASplit() {
        Config config = ConfigText.load(folder, ORDERED);
        assertEquals(folder.resolve("mine.txt"), config.layout().scheduleFile().orElseThrow());
        assertEquals(List.of(2, 4), config.layout().split());
        assertEquals(config, ConfigText.load(folder, config.toYaml()));
    }

    @Test
    void shouldHaveAnotherDigestWithAnotherSchedule() throws IOException {
        Config config = ConfigText.load(folder, ORDERED);
        String before = config.digest();
        assertEquals(before, config.digest());
        order(GPIPE.replace("F6 F7 B0 B1", "F6 B0 F7 B1"));
        assertNotEquals(before, config.digest());
    }

    @Test
    void shouldNameFileLineAndColumnOfEveryFault() throws IOException {
        order(GPIPE.replace("micro-batches: 8", "micro-batches: many").replace("1: F0", "1: X0"));
        assertProblem(folder.resolve("mine.txt") + ":2:1: micro-batches: expected a number");
        assertProblem(folder.resolve("mine.txt") + ":4:11: 'X0' is not F, B, I or W");
    }

    @Test
    void shouldSayWhichInstructionWaitsForWhich() throws IOException {
        order(GPIPE.replace("stages 0: F0 F1 F2", "stages 0: F1 F0 F2"));
        assertProblem(folder.resolve("mine.txt") + ":4:1: rank 1 instruction 0: ReceiveActivation");
        order(GPIPE.replace("B5 B6 B7\nstages 1", "B5 B7 B6\nstages 1"));
        assertProblem(folder.resolve("mine.txt") + ":3:1: rank 0 instruction");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "parallelism.pipeline=3          | is for pipeline: 2, found pipeline: 3",
                "parallelism.chunks=2            | is for chunks: 1, found chunks: 2",
                "training.micro_batch_size=1     | has 8 micro-batches a step, global_batch_size=16 / (micro_batch_size=1 * data=1) = 16.0",
                "parallelism.schedule=zb-h1      | leave schedule: zb-h1 out",
                "parallelism.schedule_file=no.txt| no such file: parallelism.schedule_file names it",
                "parallelism.split=[2, 3]        | split has 5 layers, the model 6 (embedding, 4 blocks, head): is it the split of another model?",
                "parallelism.split=[2, 2, 2]     | split has 3 stages, pipeline=2 * chunks=1 = 2",
                "parallelism.split=[6, 0]        | expected at least 1, found 0",
                "parallelism.split=half          | expected a list"
            })
    void shouldSayWhatDoesNotAgree(String override, String words) {
        assertProblem(words, override);
    }

    @Test
    void shouldCheckAFileForAnAutomaticLayoutToo() {
        String automatic = ORDERED.replace("{pipeline: 2,", "{auto: true,");
        assertTrue(ConfigText.load(folder, automatic).isAuto());
        String problems =
                ConfigText.problems(folder, automatic, "parallelism.pipeline=4", "training.micro_batch_size=4");
        assertTrue(problems.contains("is for pipeline: 2, found pipeline: 4"), problems);
        assertTrue(problems.contains("has 8 micro-batches a step"), problems);
        assertTrue(
                ConfigText.problems(folder, automatic, "training.micro_batch_size=0", "training.global_batch_size=20")
                        .contains("global_batch_size=20 / 8 is not whole"));
    }
}
