package io.penstock.engine.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Runs that end badly: who is named, with which exit code, how soon, and that nothing is left behind. */
@Tag("system")
@Timeout(value = 200, unit = TimeUnit.SECONDS)
final class FailureSystemTest {
    /** From the fault to the end of every process; a quiet machine needs two. */
    private static final long SECONDS = 20;

    private static final String[] ENDLESS = Sandbox.train("training.steps=10000000", "checkpoint.every=0");

    private Sandbox sandbox = new Sandbox(Path.of(""));

    @BeforeEach
    void make(@TempDir Path folder) throws IOException {
        sandbox = Sandbox.in(folder);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void shouldNameARankThatIsKilled(int killed) {
        Running run = sandbox.start(ENDLESS).untilOut("step 6/");
        List<ProcessHandle> ranks = run.ranks();
        assertEquals(2, ranks.size());
        ranks.get(killed).destroyForcibly();
        run.endWithin(4, SECONDS);
        String expected = "penstock: rank " + killed + " (stage " + killed + ") was killed by signal 9; rank " + killed
                + " lost at step ";
        assertTrue(run.err().contains(expected), run.err());
        assertTrue(run.err().contains("logs are in " + sandbox.run(Sandbox.NAME).resolve("logs")), run.err());
        Running.awaitGone(ranks, 1);
        assertEquals(List.of(), run.sharedMemory());
    }

    /** Stopped, not dead: its process is there and silent. */
    @Test
    void shouldNameARankThatHangs() {
        Running run = sandbox.start(ENDLESS).untilOut("step 6/");
        List<ProcessHandle> ranks = run.ranks();
        Running.signal(ranks.get(1), "STOP");
        run.endWithin(4, 2 * SECONDS);
        assertTrue(run.err().contains("rank 1 lost at step "), run.err());
        Running.awaitGone(ranks, 1);
        assertEquals(List.of(), run.sharedMemory());
    }

    @ParameterizedTest
    @ValueSource(strings = {"INT 130", "TERM 143"})
    void shouldLeaveNothingBehindWhenStopped(String signalAndCode) {
        String[] words = signalAndCode.split(" ", -1);
        Running run = sandbox.start(ENDLESS).untilOut("step 6/");
        List<ProcessHandle> ranks = run.ranks();
        assertEquals(1, run.sharedMemory().size());
        run.signal(words[0]);
        run.endWithin(Integer.parseInt(words[1]), SECONDS);
        Running.awaitGone(ranks, SECONDS);
        assertEquals(List.of(), run.sharedMemory());
    }

    /** A terminal sends Ctrl-C to the launcher and to every rank. */
    @Test
    @Tag("slow")
    void shouldEndQuietlyWhenRanksAreInterruptedToo() {
        Running run = sandbox.start(ENDLESS).untilOut("step 6/");
        List<ProcessHandle> ranks = run.ranks();
        ranks.forEach(rank -> Running.signal(rank, "INT"));
        run.signal("INT");
        run.endWithin(130, SECONDS);
        Running.awaitGone(ranks, SECONDS);
        assertEquals(List.of(), run.sharedMemory());
    }

    @Test
    void shouldEndRanksOfAKilledLauncherWhoTakeItsFilesWithThem() {
        Running run = sandbox.start(ENDLESS).untilOut("step 6/");
        List<ProcessHandle> ranks = run.ranks();
        run.signal("KILL");
        run.endWithin(137, SECONDS);
        Running.awaitGone(ranks, SECONDS);
        assertEquals(List.of(), run.sharedMemory());
    }

    /** Nobody is left who could: the next start does it. */
    @Test
    @Tag("slow")
    void shouldSweepWhatKilledRunsLeft() {
        Running run = sandbox.start(ENDLESS).untilOut("step 6/");
        List<ProcessHandle> ranks = run.ranks();
        ranks.forEach(rank -> Running.signal(rank, "STOP"));
        run.signal("KILL");
        run.endWithin(137, SECONDS);
        ranks.forEach(rank -> Running.signal(rank, "KILL"));
        Running.awaitGone(ranks, SECONDS);
        assertEquals(1, run.sharedMemory().size());
        sandbox.start(Sandbox.train("training.steps=2")).end(0);
        assertEquals(List.of(), run.sharedMemory());
    }

    @ParameterizedTest
    @ValueSource(strings = {"processes", "threads"})
    void shouldEndADivergedRunOnEveryRank(String launch) throws IOException {
        String[] diverging = Sandbox.train("training.optimizer.learning_rate=1e30", "cluster.launch=" + launch);
        Running run = sandbox.start(diverging).end(5);
        assertTrue(run.err().contains("training diverged at step 2: loss sum "), run.err());
        assertTrue(run.err().contains("lower training.optimizer.learning_rate"), run.err());
        assertEquals(List.of(), run.sharedMemory());
        try (var saved = Files.list(sandbox.run(Sandbox.NAME).resolve("checkpoints"))) {
            assertEquals(List.of(), saved.toList());
        }
    }

    @Test
    void shouldRefuseWhatDoesNotFitWithNumbersBeforeAnythingStarts() {
        Running run =
                sandbox.start(Sandbox.train("cluster.memory_per_rank=1MiB")).end(3);
        assertTrue(
                run.err().matches("(?s).*rank 0 needs \\d{7} bytes \\(.*MiB\\), cluster.memory_per_rank is 1048576 .*"),
                run.err());
        assertFalse(Files.exists(sandbox.run(Sandbox.NAME)));
    }
}
