package io.penstock.partitioner.schedule;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.penstock.partitioner.PlanException;
import io.penstock.partitioner.schedule.Instruction.OnMicroBatch;
import io.penstock.partitioner.schedule.Instruction.OptimizerStep;
import io.penstock.partitioner.schedule.Instruction.ReceiveActivation;
import io.penstock.partitioner.schedule.Instruction.ReceiveGradient;
import io.penstock.partitioner.schedule.Instruction.ReduceTiedGradients;
import io.penstock.partitioner.schedule.Instruction.SendActivation;
import io.penstock.partitioner.schedule.Instruction.SendGradient;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class SchedulesTest {
    private static final int[] RANKS = {1, 2, 3, 4, 5, 8, 13};
    private static final int[] MICRO_BATCHES = {1, 2, 3, 4, 7, 8, 13, 16, 26};

    private static void forAll(Consumer<Schedule> check) {
        for (String name : Schedules.NAMES) {
            for (int ranks : RANKS) {
                for (int microBatches : MICRO_BATCHES) {
                    int mostChunks = name.equals("interleaved-1f1b") ? 4 : Schedules.defaultChunks(name);
                    int fewestChunks = name.equals("interleaved-1f1b") ? 1 : mostChunks;
                    for (int chunks = fewestChunks; chunks <= mostChunks; chunks++) {
                        check.accept(Schedules.create(name, ranks, microBatches, chunks, microBatches % 2 == 0));
                    }
                }
            }
        }
    }

    private static String shape(Schedule s) {
        return s.name() + " ranks=" + s.ranks() + " micro-batches=" + s.microBatches() + " chunks=" + s.chunks();
    }

    @Test
    void shouldBeCompleteAndFreeOfDeadlockForEveryShape() {
        forAll(s -> assertEquals(List.of(), ScheduleVerifier.verify(s).problems(), shape(s)));
    }

    @Test
    void shouldNeedRoomForOneMessageALaneOnly() {
        forAll(s -> assertEquals(List.of(), ScheduleVerifier.verify(s, 1).problems(), shape(s)));
    }

    @Test
    void shouldNeedOneSlotForEachMicroBatchHeldAtOnce() {
        forAll(s -> {
            InFlight inFlight = InFlight.of(s);
            for (int rank = 0; rank < s.ranks(); rank++) {
                int[] most = new int[s.chunks()];
                int[] held = new int[s.chunks()];
                for (Instruction instruction : s.instructions().get(rank)) {
                    if (instruction instanceof Instruction.Forward f) {
                        most[f.chunk()] = Math.max(most[f.chunk()], ++held[f.chunk()]);
                    } else if (instruction instanceof Instruction.Backward b) {
                        held[b.chunk()]--;
                    } else if (instruction instanceof Instruction.BackwardWeight w) {
                        held[w.chunk()]--;
                    }
                }
                for (int chunk = 0; chunk < s.chunks(); chunk++) {
                    assertEquals(most[chunk], inFlight.activations(rank, chunk), shape(s));
                }
            }
        });
    }

    @Test
    void shouldGiveMicroBatchesThatMeetMoreSlots() {
        // Micro-batches 0 and 2 are held at once: with two slots both would lie in the first.
        Schedule s = ScheduleText.parse("micro-batches: 3\nstages 0: F0 F2 B0 F1 B1 B2\n", false);
        assertEquals(3, InFlight.of(s).activations(0, 0));
        assertEquals(2, InFlight.of(s).activationsOfRank(0));
    }

    @Test
    void shouldHoldWhatTheRulesSay() {
        forAll(s -> {
            InFlight inFlight = InFlight.of(s);
            int p = s.ranks();
            int m = s.microBatches();
            for (int r = 0; r < p; r++) {
                int held = inFlight.activationsOfRank(r);
                switch (s.name()) {
                    case "gpipe" -> assertEquals(m, held, shape(s));
                    case "1f1b" -> assertEquals(Math.min(p - r, m), held, shape(s));
                    case "interleaved-1f1b" -> {
                        int full = 2 * (p - r - 1) + (s.chunks() - 1) * p + 1;
                        if (m % p == 0) {
                            assertEquals(Math.min(full, m * s.chunks()), held, shape(s));
                        } else {
                            assertTrue(held <= full, shape(s));
                        }
                    }
                    case "zb-h1" -> assertEquals(Math.min(p, m), held, shape(s));
                    default -> {
                        assertTrue(held <= 2 * p, shape(s) + " holds " + held);
                        if (m >= 2 * p) {
                            assertEquals(2 * p, held, shape(s));
                        }
                    }
                }
            }
        });
    }

    @Test
    void shouldEvaluateOnThePlacementOfEveryTrainingSchedule() {
        forAll(s -> {
            Schedule evaluation = Schedules.evaluation(s, s.microBatches());
            assertEquals(List.of(), ScheduleVerifier.verify(evaluation, 1).problems(), shape(s));
            assertEquals(1, InFlight.of(evaluation).activationsOfRank(0), shape(s));
            assertEquals(s.stageOf(), evaluation.stageOf());
        });
    }

    @Test
    void shouldStashNothingWhereBackwardsAreFused() {
        assertEquals(0, InFlight.of(Schedules.gpipe(4, 8, false)).stashesOfRank(0));
        assertEquals(
                0, InFlight.of(Schedules.oneForwardOneBackward(4, 8, false)).stashes(3, 0));
        InFlight zeroBubble = InFlight.of(Schedules.zeroBubbleH1(4, 8, false));
        assertEquals(
                List.of(1, 2, 3, 4),
                IntStream.range(0, 4).mapToObj(r -> zeroBubble.stashes(r, 0)).toList());
    }

    @Test
    void shouldPlaceMessagesBesideTheirComputation() {
        forAll(s -> {
            for (List<Instruction> program : s.instructions()) {
                for (int i = 0; i < program.size(); i++) {
                    switch (program.get(i)) {
                        case ReceiveActivation r -> assertSameMicroBatch(r, program.get(i + 1));
                        case ReceiveGradient r -> assertSameMicroBatch(r, program.get(i + 1));
                        case SendActivation x -> assertSameMicroBatch(x, program.get(i - 1));
                        case SendGradient x -> assertSameMicroBatch(x, program.get(i - 1));
                        default -> {}
                    }
                }
            }
        });
    }

    private static void assertSameMicroBatch(OnMicroBatch message, Instruction computation) {
        OnMicroBatch on = (OnMicroBatch) computation;
        assertEquals(message.microBatch(), on.microBatch());
        assertEquals(message.chunk(), on.chunk());
    }

    @Test
    void shouldSendNothingOnOneRank() {
        for (String name : Schedules.NAMES) {
            Schedule s = Schedules.create(name, 1, 5, Schedules.defaultChunks(name), true);
            assertTrue(
                    s.instructions().get(0).stream()
                            .noneMatch(i -> i instanceof SendActivation || i instanceof SendGradient),
                    name);
            assertEquals(
                    List.of(new ReduceTiedGradients(), new OptimizerStep()),
                    s.instructions()
                            .get(0)
                            .subList(
                                    s.instructions().get(0).size() - 2,
                                    s.instructions().get(0).size()));
        }
    }

    @Test
    void shouldReduceTiedGradientsWhereTheyLie() {
        assertEquals(List.of(0, 3), tiedRanks(Schedules.oneForwardOneBackward(4, 4, true)));
        assertEquals(List.of(0, 3), tiedRanks(Schedules.interleaved(4, 4, 2, true)));
        assertEquals(List.of(0), tiedRanks(Schedules.zeroBubbleV(4, 8, true)));
        assertEquals(List.of(), tiedRanks(Schedules.zeroBubbleV(4, 8, false)));
    }

    private static List<Integer> tiedRanks(Schedule s) {
        return IntStream.range(0, s.ranks())
                .filter(rank -> s.instructions().get(rank).contains(new ReduceTiedGradients()))
                .boxed()
                .toList();
    }

    @Test
    void shouldRefuseWhatIsNoSchedule() {
        PlanException unknown = assertThrows(PlanException.class, () -> Schedules.create("zb-h9", 2, 2, 1, false));
        assertTrue(unknown.getMessage().contains("zb-h9"), unknown.getMessage());
        assertThrows(PlanException.class, () -> Schedules.create("zb-v", 2, 4, 3, false));
        assertThrows(PlanException.class, () -> Schedules.create("1f1b", 2, 4, 2, false));
        assertThrows(PlanException.class, () -> Schedules.create("interleaved-1f1b", 2, 4, 0, false));
        assertThrows(PlanException.class, () -> Schedules.create("gpipe", 0, 4, 1, false));
        assertThrows(PlanException.class, () -> Schedules.create("zb-v", 2, 0, 2, false));
        assertFalse(Schedules.NAMES.isEmpty());
    }
}
