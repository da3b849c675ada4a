package io.penstock.partitioner.schedule;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.penstock.partitioner.PlanException;
import java.util.List;
import org.junit.jupiter.api.Test;

class ScheduleTextTest {
    private static void assertProblem(String text, String... words) {
        String message = assertThrows(PlanException.class, () -> ScheduleText.parse(text, false))
                .getMessage();
        for (String word : words) {
            assertTrue(message.contains(word), "expected '" + word + "' in: " + message);
        }
    }

    @Test
    void shouldReadBackWhatItWrites() {
        for (String name : Schedules.NAMES) {
            for (boolean tied : new boolean[] {false, true}) {
                Schedule s = Schedules.create(name, 3, 7, Schedules.defaultChunks(name), tied);
                assertEquals(s, ScheduleText.parse(ScheduleText.format(s), tied));
            }
        }
    }

    @Test
    void shouldReadCommentsAndMixedBackwards() {
        Schedule s = ScheduleText.parse("""
                # mine
                name: mine
                micro-batches: 2   # two

                stages 0: F0 F1 B0 B1
                stages 1: F0 B0 F1 I1 W1
                """, false);
        assertEquals("mine", s.name());
        assertEquals(2, s.ranks());
        assertTrue(s.instructions().get(1).contains(new Instruction.BackwardWeight(1, 0)));
    }

    @Test
    void shouldNameAllLinesThatAreWrong() {
        assertProblem(
                """
                micro-batches: none
                stage 0: F0
                stages 0: F0 X0 B0.1
                hello
                """,
                "line 1: micro-batches",
                "line 2: unknown key 'stage 0'",
                "line 3: 'X0'",
                "line 3: B0.1: the rank has 1 chunks, from 0",
                "line 4: expected 'KEY: VALUE'");
        assertProblem("", "no line 'micro-batches", "no line 'stages 0");
        assertProblem("micro-batches: 1\nstages 0: F0 B1\n", "line 2: B1: there are 1 micro-batches");
    }

    @Test
    void shouldRefuseWhatCannotRun() {
        assertProblem("micro-batches: 2\nstages 0: F0 B0 F1\n", "never runs micro-batch 1 backward");
        assertProblem(
                "micro-batches: 1\nstages 0: F0 B0\nstages 0: F0 B0\n", "line 3: stage 0 is held by line 2 already");
        assertProblem(
                "micro-batches: 1\nstages 0 1: F0 B0\nstages 2: F0 B0\n", "line 3: 1 stages, the first rank holds 2");
        assertProblem("micro-batches: 1\nstages 0: F0 B0\nstages 2: F0 B0\n", "line 3: stage 2: 2 ranks of 1 chunks");
    }

    @Test
    void shouldSayWhichInstructionWaitsForWhichAndInWhatLine() {
        assertProblem(
                "micro-batches: 2\nstages 0: F1 F0 B0 B1\nstages 1: F0 B0 F1 B1\n",
                "line 3: rank 1 instruction 0",
                "is sent micro-batch 1 for stage 1 first");
        assertProblem(
                "micro-batches: 2\nstages 0 3: F0 F0.1 B0.1 B0 F1 F1.1 B1.1 B1\nstages 1 2: F0 F1 F0.1 B0.1 B0 F1.1 B1.1 B1\n",
                "line 2: rank 0 instruction 2: ReceiveActivation",
                "waits for a message of rank 1, which is at instruction",
                "line 3: rank 1 instruction 2: ReceiveActivation",
                "waits for a message of rank 0");
        assertProblem("micro-batches: 2\nstages 0: F0 F1 B1 B0\n", "before the input gradient of micro-batch 0");
        assertProblem("micro-batches: 2\nstages 0: F0 F1 I1 I0 W0 W1\n", "sums would have other bits");
        assertProblem("micro-batches: 2\nstages 0: F0 F1 I0 I1 W1 W0\n", "before the weight gradient of micro-batch 0");
    }

    @Test
    void shouldTakeAWholeBackwardForBothHalvesWhereAChunkSplitsAny() {
        Schedule mixed = ScheduleText.parse("micro-batches: 2\nstages 0: F0 F1 B0 I1 W1\n", false);
        Schedule split = ScheduleText.parse("micro-batches: 2\nstages 0: F0 F1 I0 W0 I1 W1\n", false);
        assertEquals(split, mixed);
    }

    @Test
    void shouldEvaluateOnAnyPlacement() {
        Schedule backwards = ScheduleText.parse(
                "micro-batches: 1\nstages 1 2: F0 F0.1 B0.1 B0\nstages 3 0: F0.1 F0 B0 B0.1\n", false);
        assertEquals(
                List.of(),
                ScheduleVerifier.verify(Schedules.evaluation(backwards, 5), 1).problems());
    }
}
