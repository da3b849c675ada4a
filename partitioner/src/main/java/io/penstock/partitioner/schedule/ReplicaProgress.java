package io.penstock.partitioner.schedule;

import io.penstock.partitioner.schedule.Instruction.GatherParameters;
import io.penstock.partitioner.schedule.Instruction.OnMicroBatch;
import io.penstock.partitioner.schedule.Instruction.OnStates;
import io.penstock.partitioner.schedule.Instruction.ReduceGradients;
import io.penstock.partitioner.schedule.Instruction.ReleaseParameters;
import java.util.List;

/** What a rank has gathered and reduced, and whether an instruction may happen next. Schedules without such instructions are free. */
final class ReplicaProgress {
    private final int rank;
    private final boolean gathers;
    private final boolean[] gathered;
    /** By chunk: leaves a step, leaves reduced, micro-batches whose weight gradient is done. */
    private final int[] leaves;

    private final int[] reduced;
    private final int[] weights;
    private final int microBatches;

    ReplicaProgress(Schedule schedule, int rank) {
        this.rank = rank;
        List<Instruction> program = schedule.instructions().get(rank);
        gathers = program.stream().anyMatch(GatherParameters.class::isInstance);
        gathered = new boolean[schedule.chunks()];
        leaves = new int[schedule.chunks()];
        reduced = new int[schedule.chunks()];
        weights = new int[schedule.chunks()];
        microBatches = schedule.microBatches();
        for (Instruction instruction : program) {
            if (instruction instanceof ReduceGradients r && r.chunk() >= 0 && r.chunk() < leaves.length) {
                leaves[r.chunk()] = Math.max(leaves[r.chunk()], r.leaf() + 1);
            }
        }
    }

    /** What is wrong with an instruction here and now, empty if nothing; a right one is recorded. */
    String wrong(OnStates instruction) {
        int chunk = instruction.chunk();
        if (chunk < 0 || chunk >= gathered.length) {
            return "is outside of " + gathered.length + " chunks";
        }
        return switch (instruction) {
            case GatherParameters g -> {
                boolean twice = gathered[chunk];
                gathered[chunk] = true;
                yield twice ? "gathers what is gathered" : "";
            }
            case ReleaseParameters r -> {
                boolean held = gathered[chunk];
                gathered[chunk] = false;
                yield held ? "" : "releases what is not gathered";
            }
            case ReduceGradients r -> {
                int due = (r.leaf() + 1) * microBatches / leaves[chunk];
                boolean right = r.leaf() == reduced[chunk] && weights[chunk] == due;
                reduced[chunk]++;
                yield right
                        ? ""
                        : "comes after " + weights[chunk] + " weight gradients and " + (reduced[chunk] - 1)
                                + " leaves, not right after the " + due + " of its leaf";
            }
        };
    }

    /** What is wrong with a computation. */
    String wrong(OnMicroBatch on) {
        boolean reads = on instanceof Instruction.Forward
                || on instanceof Instruction.Backward
                || on instanceof Instruction.BackwardInput;
        if (gathers && reads && !gathered[on.chunk()]) {
            return "computes with parameters that are not gathered";
        }
        boolean weight = on instanceof Instruction.Backward || on instanceof Instruction.BackwardWeight;
        if (weight && leaves[on.chunk()] > 0) {
            int complete = weights[on.chunk()] * leaves[on.chunk()] / microBatches;
            return complete == reduced[on.chunk()] ? "" : "comes before the gradients of the last leaf are reduced";
        }
        return "";
    }

    void record(OnMicroBatch on) {
        if (on instanceof Instruction.Backward || on instanceof Instruction.BackwardWeight) {
            weights[on.chunk()]++;
        }
    }

    void incomplete(List<Verdict.Problem> problems) {
        for (int chunk = 0; chunk < leaves.length; chunk++) {
            if (reduced[chunk] != leaves[chunk]) {
                problems.add(new Verdict.Problem(
                        rank,
                        "rank " + rank + " chunk " + chunk + " reduces " + reduced[chunk] + " of " + leaves[chunk]
                                + " leaves"));
            }
            if (gathered[chunk]) {
                problems.add(
                        new Verdict.Problem(rank, "rank " + rank + " never releases the parameters of chunk " + chunk));
            }
        }
    }
}
