package io.penstock.partitioner.schedule;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.penstock.partitioner.PlanException;
import io.penstock.partitioner.schedule.Instruction.Backward;
import io.penstock.partitioner.schedule.Instruction.BackwardInput;
import io.penstock.partitioner.schedule.Instruction.BackwardWeight;
import io.penstock.partitioner.schedule.Instruction.EvaluateLoss;
import io.penstock.partitioner.schedule.Instruction.Forward;
import io.penstock.partitioner.schedule.Instruction.OptimizerStep;
import io.penstock.partitioner.schedule.Instruction.ReceiveGradient;
import io.penstock.partitioner.schedule.Instruction.ReduceTiedGradients;
import io.penstock.partitioner.schedule.Instruction.SendActivation;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class ScheduleVerifierTest {
    private static Schedule with(Schedule s, int rank, List<Instruction> program) {
        List<List<Instruction>> all = new ArrayList<>(s.instructions());
        all.set(rank, program);
        return new Schedule(s.name(), s.microBatches(), s.stageOf(), all);
    }

    private static List<Instruction> program(Schedule s, int rank) {
        return new ArrayList<>(s.instructions().get(rank));
    }

    private static void assertRefused(Schedule s, String... words) {
        Verdict verdict = ScheduleVerifier.verify(s);
        assertFalse(verdict.holds(), "accepted: " + s);
        String all = verdict.problems().stream().map(Verdict.Problem::text).collect(Collectors.joining("\n"));
        for (String word : words) {
            assertTrue(all.contains(word), "expected '" + word + "' in:\n" + all);
        }
        assertThrows(PlanException.class, verdict::require);
    }

    @Test
    void shouldSayWhoWaitsForWhomInADeadlock() {
        Schedule s = Schedules.oneForwardOneBackward(2, 4, false);
        List<Instruction> first = program(s, 0);
        // Rank 0 wants the gradient of micro-batch 0 before it has sent that activation.
        ReceiveGradient early = new ReceiveGradient(0, 0, 1);
        first.remove(early);
        first.add(0, early);
        assertRefused(with(s, 0, first), "rank 0 instruction 0", "rank 1 instruction 0", "waits for a message of rank");
    }

    @Test
    void shouldMissEveryInstructionThatIsTakenAway() {
        for (String name : Schedules.NAMES) {
            Schedule s = Schedules.create(name, 3, 6, Schedules.defaultChunks(name), true);
            for (int rank = 0; rank < 3; rank++) {
                for (int i = 0; i < program(s, rank).size(); i++) {
                    List<Instruction> program = program(s, rank);
                    Instruction gone = program.remove(i);
                    boolean oneSided = gone instanceof ReduceTiedGradients;
                    assertEquals(
                            oneSided,
                            ScheduleVerifier.verify(with(s, rank, program)).holds(),
                            name + " without " + gone + " on rank " + rank);
                }
            }
        }
    }

    @Test
    void shouldSeeEveryInstructionThatIsDoneTwice() {
        for (String name : Schedules.NAMES) {
            Schedule s = Schedules.create(name, 3, 6, Schedules.defaultChunks(name), false);
            for (int i = 0; i < program(s, 1).size(); i++) {
                List<Instruction> program = program(s, 1);
                program.add(i, program.get(i));
                assertFalse(ScheduleVerifier.verify(with(s, 1, program)).holds(), name + " twice " + program.get(i));
            }
        }
    }

    @Test
    void shouldNeverAcceptAShuffledProgramThatBreaksOrder() {
        long seed = 7;
        Random random = new Random(seed);
        Schedule s = Schedules.zeroBubbleH1(3, 4, false);
        for (int round = 0; round < 500; round++) {
            List<Instruction> program = program(s, 1);
            Collections.shuffle(program, random);
            boolean ordered = true;
            for (int i = 0; i < 4; i++) {
                ordered &= program.indexOf(new Forward(i, 0)) < program.indexOf(new BackwardInput(i, 0))
                        && program.indexOf(new BackwardInput(i, 0)) < program.indexOf(new BackwardWeight(i, 0))
                        && program.indexOf(new BackwardWeight(i, 0)) < program.indexOf(new OptimizerStep());
            }
            if (!ordered) {
                assertFalse(ScheduleVerifier.verify(with(s, 1, program)).holds(), "seed " + seed + " round " + round);
            }
        }
    }

    @Test
    void shouldRefuseWeightGradientsOutOfOrder() {
        Schedule s = Schedules.gpipe(1, 2, false);
        List<Instruction> program = program(s, 0);
        Collections.swap(program, 2, 3);
        assertRefused(with(s, 0, program), "Backward[microBatch=1", "gradient of micro-batch 0");
    }

    @Test
    void shouldRefuseWeightGradientsAfterTheOptimizer() {
        Schedule s = Schedules.gpipe(1, 2, false);
        List<Instruction> program = program(s, 0);
        Collections.swap(program, 3, 4);
        assertRefused(with(s, 0, program), "after the optimizer step");
    }

    @Test
    void shouldRefuseMessagesThatOvertakeEachOther() {
        Schedule s = Schedules.gpipe(2, 2, false);
        List<Instruction> program = program(s, 0);
        // F0 S0 F1 S1 becomes F0 F1 S1 S0.
        program.remove(1);
        program.add(3, new SendActivation(0, 0, 1));
        assertRefused(with(s, 0, program), "micro-batch 1 for stage 1 first", "keep their order");
    }

    @Test
    void shouldRefuseAWrongPeer() {
        Schedule s = Schedules.gpipe(3, 1, false);
        List<Instruction> program = program(s, 0);
        program.set(1, new SendActivation(0, 0, 2));
        assertRefused(with(s, 0, program), "stage 1 is on rank 1");
    }

    @Test
    void shouldRefuseMicroBatchesAndChunksThatDoNotExist() {
        Schedule s = Schedules.gpipe(1, 1, false);
        assertRefused(with(s, 0, List.of(new Forward(1, 0))), "outside of 1 micro-batches");
        assertRefused(with(s, 0, List.of(new Forward(0, 1))), "outside of 1 micro-batches and 1 chunks");
        assertRefused(with(s, 0, List.of(new Backward(0, 0))), "before its forward");
    }

    @Test
    void shouldFindDeadlocksThatOnlyBoundedLanesHave() {
        // All micro-batches through the first chunks before any goes through the second: 16 messages must wait
        // somewhere.
        List<Instruction.OnMicroBatch> order = new ArrayList<>();
        for (int chunk = 0; chunk < 2; chunk++) {
            for (int i = 0; i < 16; i++) {
                order.add(new Forward(i, chunk));
                order.add(new EvaluateLoss(i, chunk));
            }
        }
        Schedule s = Assembly.assembleEvaluation(16, Placement.loop(2, 2), List.of(order, order));
        assertTrue(ScheduleVerifier.verify(s).holds());
        String problems = ScheduleVerifier.verify(s, 2).problems().toString();
        assertTrue(problems.contains("room in its lane to rank 1"), problems);
    }

    @Test
    void shouldRefuseAPlacementThatHoldsAStageTwice() {
        Schedule s = Schedules.gpipe(2, 1, false);
        Schedule twice = new Schedule(s.name(), 1, List.of(List.of(0), List.of(0)), s.instructions());
        assertTrue(assertThrows(PlanException.class, () -> ScheduleVerifier.verify(twice))
                .getMessage()
                .contains("rank 1 chunk 0 holds stage 0"));
    }
}
