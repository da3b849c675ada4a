package io.penstock.partitioner.schedule;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.penstock.partitioner.PlanException;
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
                "line 3: B0.1: the rank has 1 chunks",
                "line 4: expected 'KEY: VALUE'");
        assertProblem("", "no line 'micro-batches", "no line 'stages 0");
        assertProblem("micro-batches: 1\nstages 0: F0 B1\n", "line 2: B1: there are 1 micro-batches");
    }

    @Test
    void shouldRefuseWhatCannotRun() {
        assertProblem("micro-batches: 2\nstages 0: F0 B0 F1\n", "never runs micro-batch 1 backward");
        assertProblem("micro-batches: 1\nstages 0: F0 B0\nstages 0: F0 B0\n", "rank 1 chunk 0 holds stage 0");
        assertProblem("micro-batches: 1\nstages 0 1: F0 B0\nstages 2: F0 B0\n", "chunks");
    }
}
