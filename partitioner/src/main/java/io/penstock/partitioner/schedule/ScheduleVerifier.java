package io.penstock.partitioner.schedule;

import io.penstock.partitioner.schedule.Instruction.Backward;
import io.penstock.partitioner.schedule.Instruction.BackwardInput;
import io.penstock.partitioner.schedule.Instruction.BackwardWeight;
import io.penstock.partitioner.schedule.Instruction.EvaluateLoss;
import io.penstock.partitioner.schedule.Instruction.Forward;
import io.penstock.partitioner.schedule.Instruction.OptimizerStep;
import io.penstock.partitioner.schedule.Instruction.ReceiveActivation;
import io.penstock.partitioner.schedule.Instruction.ReceiveGradient;
import io.penstock.partitioner.schedule.Instruction.ReduceTiedGradients;
import io.penstock.partitioner.schedule.Instruction.SendActivation;
import io.penstock.partitioner.schedule.Instruction.SendGradient;
import java.util.ArrayList;
import java.util.List;

/**
 * Proves that a schedule runs to its end and computes a step: it executes the instructions, without time, as the executor would.
 *
 * <p>A send puts its message in the lane (sender, receiver, activation or gradient) and waits only while the lane holds {@code laneCapacity} messages; a receive takes the
 * lane's oldest message, which must be the one it names. Collective instructions wait for all ranks that have them. As every wait is for one given event, no order of execution
 * other than the one tried here could end otherwise.
 *
 * <p>Complete means: each micro-batch once forward and once backward on every stage, each computation after what it needs, the gradients of a stage in the order of
 * micro-batches (the order of their sums), and all of them before the one optimizer step that ends each rank's list. A schedule with an {@code EvaluateLoss} is an
 * evaluation: each micro-batch once forward and evaluated on every stage, nothing else.
 */
public final class ScheduleVerifier {
    private static final int MOST_PROBLEMS = 20;

    private final Schedule schedule;
    private final StageProgress[] stages;
    private final Lanes lanes;
    private final ReplicaProgress[] replicas;
    private final int[] next;
    private final boolean[] broken;
    private final boolean evaluation;
    private final List<Verdict.Problem> problems = new ArrayList<>();

    private ScheduleVerifier(Schedule schedule, int laneCapacity) {
        this.schedule = schedule;
        Placement placement = Placement.of(schedule);
        stages = new StageProgress[placement.stages()];
        for (int stage = 0; stage < stages.length; stage++) {
            stages[stage] = new StageProgress(placement, stage, schedule.microBatches(), stages);
        }
        lanes = new Lanes(schedule.ranks(), laneCapacity);
        replicas = new ReplicaProgress[schedule.ranks()];
        for (int rank = 0; rank < replicas.length; rank++) {
            replicas[rank] = new ReplicaProgress(schedule, rank);
        }
        next = new int[schedule.ranks()];
        broken = new boolean[schedule.ranks()];
        evaluation = schedule.instructions().stream()
                .anyMatch(program -> program.stream().anyMatch(EvaluateLoss.class::isInstance));
    }

    /** With sends that never wait. */
    public static Verdict verify(Schedule schedule) {
        return verify(schedule, Integer.MAX_VALUE);
    }

    /** With at most {@code laneCapacity >= 1} messages on their way from one rank to another in a lane. */
    public static Verdict verify(Schedule schedule, int laneCapacity) {
        return new ScheduleVerifier(schedule, laneCapacity).run();
    }

    private Verdict run() {
        boolean moved = true;
        while (moved && problems.size() < MOST_PROBLEMS) {
            moved = false;
            for (int rank = 0; rank < next.length; rank++) {
                while (canStep(rank)) {
                    next[rank]++;
                    moved = true;
                }
            }
            moved |= collective();
        }
        if (problems.isEmpty()) {
            reportWaits();
        }
        if (problems.isEmpty()) {
            for (StageProgress stage : stages) {
                stage.incomplete(evaluation, problems);
            }
            for (ReplicaProgress replica : replicas) {
                replica.incomplete(problems);
            }
            lanes.leftOver(problems);
        }
        return new Verdict(schedule.name(), problems);
    }

    private boolean atEnd(int rank) {
        return next[rank] >= schedule.instructions().get(rank).size();
    }

    private Instruction current(int rank) {
        return schedule.instructions().get(rank).get(next[rank]);
    }

    /** Executes the rank's next instruction if it does not wait. */
    private boolean canStep(int rank) {
        if (broken[rank] || atEnd(rank)) {
            return false;
        }
        Instruction instruction = current(rank);
        if (instruction instanceof Instruction.OnStates states) {
            String wrong = replicas[rank].wrong(states);
            return wrong.isEmpty() || problem(rank, wrong);
        }
        if (!(instruction instanceof Instruction.OnMicroBatch on)) {
            return false; // collectives move together
        }
        if (on.microBatch() < 0
                || on.microBatch() >= schedule.microBatches()
                || on.chunk() < 0
                || on.chunk() >= schedule.chunks()) {
            return problem(
                    rank,
                    "is outside of " + schedule.microBatches() + " micro-batches and " + schedule.chunks() + " chunks");
        }
        int stage = schedule.stageOf().get(rank).get(on.chunk());
        String wrong = replicas[rank].wrong(on) + stages[stage].wrong(on);
        if (!wrong.isEmpty()) {
            return problem(rank, wrong);
        }
        boolean done = switch (on) {
            case Forward f -> true;
            case EvaluateLoss e -> true;
            case Backward b -> true;
            case BackwardInput b -> true;
            case BackwardWeight b -> true;
            case SendActivation s -> lanes.send(rank, s.peerStageRank(), Lanes.ACTIVATION, stage + 1, s.microBatch());
            case SendGradient s -> lanes.send(rank, s.peerStageRank(), Lanes.GRADIENT, stage - 1, s.microBatch());
            case ReceiveActivation r -> receive(rank, r.peerStageRank(), Lanes.ACTIVATION, stage, r.microBatch());
            case ReceiveGradient r -> receive(rank, r.peerStageRank(), Lanes.GRADIENT, stage, r.microBatch());
        };
        if (done) {
            stages[stage].record(on);
            replicas[rank].record(on);
        }
        return done;
    }

    private boolean receive(int rank, int peer, int kind, int stage, int microBatch) {
        long oldest = lanes.oldest(peer, rank, kind);
        if (oldest == Lanes.EMPTY) {
            return false;
        }
        if (oldest != Lanes.message(stage, microBatch)) {
            return problem(rank, "is sent " + Lanes.describe(oldest) + " first: messages of a lane keep their order");
        }
        lanes.take(peer, rank, kind);
        return true;
    }

    /** Steps all ranks over a collective that all ranks having it have reached. */
    private boolean collective() {
        List<Integer> tied = new ArrayList<>();
        boolean allReached = true;
        boolean allOptimize = true;
        for (int rank = 0; rank < next.length; rank++) {
            boolean ended = atEnd(rank);
            allOptimize &= !ended && current(rank) instanceof OptimizerStep;
            if (schedule.instructions().get(rank).contains(new ReduceTiedGradients())) {
                tied.add(rank);
                allReached &= !ended && current(rank) instanceof ReduceTiedGradients;
            }
        }
        if (!tied.isEmpty() && allReached) {
            tied.forEach(rank -> next[rank]++);
            return true;
        }
        if (!allOptimize) {
            return false;
        }
        for (int rank = 0; rank < next.length; rank++) {
            if (evaluation) {
                problem(rank, "updates weights in an evaluation");
            }
            next[rank]++;
            if (!atEnd(rank)) {
                problem(rank, "comes after the optimizer step");
            }
        }
        return true;
    }

    private boolean problem(int rank, String what) {
        broken[rank] = true;
        add(rank, "rank " + rank + " instruction " + next[rank] + ": " + current(rank) + " " + what);
        return false;
    }

    private void add(int rank, String text) {
        problems.add(new Verdict.Problem(rank, text));
    }

    private void reportWaits() {
        for (int rank = 0; rank < next.length; rank++) {
            if (!atEnd(rank)) {
                add(
                        rank,
                        "rank " + rank + " instruction " + next[rank] + ": " + current(rank) + " waits for "
                                + waitsFor(rank));
            } else if (!evaluation && !schedule.instructions().get(rank).contains(new OptimizerStep())) {
                add(rank, "rank " + rank + " has no optimizer step");
            }
        }
    }

    private String waitsFor(int rank) {
        return switch (current(rank)) {
            case ReceiveActivation r -> "a message of " + place(r.peerStageRank());
            case ReceiveGradient r -> "a message of " + place(r.peerStageRank());
            case SendActivation s -> "room in its lane to " + place(s.peerStageRank());
            case SendGradient s -> "room in its lane to " + place(s.peerStageRank());
            case ReduceTiedGradients t -> "the other ranks that reduce them";
            case OptimizerStep o -> "the other ranks";
            case Instruction.OnMicroBatch on -> "nothing";
            case Instruction.OnStates on -> "nothing";
        };
    }

    private String place(int rank) {
        return "rank " + rank
                + (atEnd(rank)
                        ? ", which is at its end"
                        : ", which is at instruction " + next[rank] + " " + current(rank));
    }
}
