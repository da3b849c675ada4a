package io.penstock.partitioner.simulate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.penstock.partitioner.PlanException;
import io.penstock.partitioner.schedule.Instruction;
import io.penstock.partitioner.schedule.Schedule;
import io.penstock.partitioner.schedule.Schedules;
import java.util.List;
import org.junit.jupiter.api.Test;

class SimulatorTest {
    /** Forward, input and weight gradient take one second a stage, a chunk its share. */
    private record Unit(int chunks, Link wire, double optimizer) implements StepTimes {
        @Override
        public double compute(int rank, Instruction.OnMicroBatch computation) {
            return (computation instanceof Instruction.Backward ? 2.0 : 1.0) / chunks;
        }

        @Override
        public Link link(int from, int to) {
            return wire;
        }

        @Override
        public double optimizerStep(int rank) {
            return optimizer;
        }
    }

    private static double seconds(Schedule schedule) {
        return Simulator.run(schedule, new Unit(schedule.chunks(), Link.FREE, 0))
                .seconds();
    }

    @Test
    void shouldTakeAsLongAsTheRulesSayUnderABarrier() {
        assertEquals(33, seconds(Schedules.gpipe(4, 8, false)));
        assertEquals(33, seconds(Schedules.oneForwardOneBackward(4, 8, false)));
        assertEquals(28.5, seconds(Schedules.interleaved(4, 8, 2, false)));
        assertEquals(27, seconds(Schedules.zeroBubbleH1(4, 8, false)));
        assertEquals(27, seconds(Schedules.zeroBubbleH2(4, 8, false)));
        assertEquals(25.5, seconds(Schedules.zeroBubbleV(4, 8, false)));
    }

    @Test
    void shouldLeaveTheBubbleOfTheFormulas() {
        for (int p : new int[] {1, 2, 4, 8}) {
            for (int m : new int[] {8, 16, 40}) {
                assertEquals(3 * m + (p - 1) * 3, seconds(Schedules.gpipe(p, m, false)));
                assertEquals(3 * m + (p - 1) * 3, seconds(Schedules.oneForwardOneBackward(p, m, false)));
                for (int v : new int[] {2, 4}) {
                    assertEquals(3 * m + (p - 1) * 3.0 / v, seconds(Schedules.interleaved(p, m, v, false)), 1e-9);
                }
                if (m >= 2 * p) {
                    Timeline v = Simulator.run(Schedules.zeroBubbleV(p, m, false), new Unit(2, Link.FREE, 0));
                    assertEquals(3 * m, v.longestSpan(), 1e-9, "ZB-V has no bubble of its own");
                }
            }
        }
    }

    @Test
    void shouldWaitForLatencyAndBandwidth() {
        // Two stages, one micro-batch: F, wire 0.5 + latency 0.25, F, B, wire, B.
        Schedule s = Schedules.gpipe(2, 1, false);
        assertEquals(
                1 + 0.75 + 1 + 2 + 0.75 + 2,
                Simulator.run(s, new Unit(1, new Link(0.25, 0.5, true), 0)).seconds());
    }

    @Test
    void shouldSendOneMessageAtATimeAndKeepTheSenderWaitingUnlessOverlapped() {
        Schedule s = Schedules.gpipe(2, 3, false);
        Link slow = new Link(0, 4, true);
        // The third activation leaves rank 0's link at 1 + 3 * 4; then F, three backwards, and one gradient's wire.
        Timeline overlapped = Simulator.run(s, new Unit(1, slow, 0));
        int lastForward = s.instructions().get(1).indexOf(new Instruction.Forward(2, 0));
        assertEquals(13, overlapped.start(1, lastForward));
        Timeline waiting = Simulator.run(s, new Unit(1, new Link(0, 4, false), 0));
        assertEquals(15, waiting.start(1, lastForward));
    }

    @Test
    void shouldEndWithTheOptimizerOnAllRanksAtOnce() {
        Schedule s = Schedules.oneForwardOneBackward(3, 5, true);
        Timeline t = Simulator.run(s, new Unit(1, Link.FREE, 0.5));
        for (int rank = 0; rank < 3; rank++) {
            int last = s.instructions().get(rank).size() - 1;
            assertEquals(t.seconds(), t.end(rank, last));
            assertEquals(15, t.computeSeconds(rank));
        }
        assertEquals(21.5, t.seconds());
    }

    @Test
    void shouldSayWhyAScheduleDoesNotEnd() {
        Schedule s = Schedules.gpipe(2, 1, false);
        Schedule stuck = new Schedule(
                "stuck", 1, s.stageOf(), List.of(List.of(), s.instructions().get(1)));
        PlanException e = assertThrows(PlanException.class, () -> seconds(stuck));
        assertTrue(e.getMessage().contains("waits for"), e.getMessage());
    }

    @Test
    void shouldRefuseALinkWithoutBandwidth() {
        assertThrows(PlanException.class, () -> Link.of(0, 1e6, 0, true));
    }
}
