package io.penstock.partitioner.schedule;

import io.penstock.partitioner.Sharding;
import io.penstock.partitioner.schedule.Instruction.OnMicroBatch;
import java.util.ArrayList;
import java.util.List;

/**
 * Adds to a schedule what replicas do for each other. Consecutive computations of a rank on one chunk are an episode: its parameters are gathered once, one computation
 * ahead, and released behind it; a chunk's gradients are reduced behind the last weight gradient of each leaf of {@link Sharding}.
 */
public final class StateInstructions {
    private final Schedule schedule;
    private final Sharding sharding;
    private final boolean windowsParameters;

    private StateInstructions(Schedule schedule, Sharding sharding, boolean windowsParameters) {
        this.schedule = schedule;
        this.sharding = sharding;
        this.windowsParameters = windowsParameters;
    }

    /** {@code windowsParameters}: whether parameters are gathered for their time of work only. The schedule itself where one replica sums in micro-batch order. */
    public static Schedule add(Schedule schedule, Sharding sharding, boolean windowsParameters) {
        if (!windowsParameters && sharding.data() == 1 && sharding.width() == 1 && sharding.leaf() == 0) {
            return schedule;
        }
        StateInstructions adder = new StateInstructions(schedule, sharding, windowsParameters);
        return new Schedule(
                schedule.name(),
                schedule.microBatches(),
                schedule.stageOf(),
                schedule.instructions().stream().map(adder::rank).toList());
    }

    private List<Instruction> rank(List<Instruction> program) {
        List<Instruction> added = windowsParameters ? withParameters(program) : program;
        List<Instruction> all = new ArrayList<>();
        for (Instruction instruction : added) {
            all.add(instruction);
            boolean weight =
                    instruction instanceof Instruction.Backward || instruction instanceof Instruction.BackwardWeight;
            if (weight && instruction instanceof OnMicroBatch on) {
                if (sharding.endsLeaf(on.microBatch(), schedule.microBatches())) {
                    int leaf = sharding.leafOf(on.microBatch(), schedule.microBatches());
                    all.add(new Instruction.ReduceGradients(on.chunk(), leaf));
                }
            }
        }
        return all;
    }

    private static boolean isComputation(Instruction instruction) {
        return instruction instanceof Instruction.Forward
                || instruction instanceof Instruction.Backward
                || instruction instanceof Instruction.BackwardInput
                || instruction instanceof Instruction.BackwardWeight;
    }

    private static List<Instruction> withParameters(List<Instruction> program) {
        List<Instruction> all = new ArrayList<>();
        int held = -1;
        // Where the next gather goes: before the computation that comes before its episode.
        int ahead = 0;
        for (Instruction instruction : program) {
            if (isComputation(instruction)) {
                OnMicroBatch on = (OnMicroBatch) instruction;
                if (on.chunk() != held) {
                    boolean fromEnd = !(instruction instanceof Instruction.Forward);
                    if (held >= 0) {
                        all.add(new Instruction.ReleaseParameters(held));
                    }
                    all.add(ahead, new Instruction.GatherParameters(on.chunk(), fromEnd));
                    held = on.chunk();
                }
                ahead = all.size();
            } else if (instruction instanceof Instruction.OptimizerStep && held >= 0) {
                all.add(new Instruction.ReleaseParameters(held));
                held = -1;
            }
            all.add(instruction);
        }
        return all;
    }
}
