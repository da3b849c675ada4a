package io.penstock.partitioner.simulate;

import io.penstock.partitioner.schedule.Instruction;
import io.penstock.partitioner.schedule.Schedule;
import java.util.List;

/** Start and end of every instruction of a schedule, in seconds from the step's start: predicted by the simulator, or measured by the engine. */
public final class Timeline {
    private final Schedule schedule;
    private final double[][] starts;
    private final double[][] ends;

    /** {@code starts[rank][i]} and {@code ends[rank][i]} of the i-th instruction in the rank's list; the arrays are not copied. */
    public Timeline(Schedule schedule, double[][] starts, double[][] ends) {
        this.schedule = schedule;
        this.starts = starts;
        this.ends = ends;
    }

    public Schedule schedule() {
        return schedule;
    }

    public double start(int rank, int instruction) {
        return starts[rank][instruction];
    }

    public double end(int rank, int instruction) {
        return ends[rank][instruction];
    }

    /** From the step's start to the end of its last instruction. */
    public double seconds() {
        double last = 0;
        for (double[] rank : ends) {
            for (double end : rank) {
                last = Math.max(last, end);
            }
        }
        return last;
    }

    /** From the start of a rank's first computation to the end of its last. */
    public double span(int rank) {
        List<Instruction> program = schedule.instructions().get(rank);
        double first = Double.POSITIVE_INFINITY;
        double last = 0;
        for (int i = 0; i < program.size(); i++) {
            if (isComputation(program.get(i))) {
                first = Math.min(first, starts[rank][i]);
                last = Math.max(last, ends[rank][i]);
            }
        }
        return Math.max(0, last - first);
    }

    /** The longest {@link #span}: the step of an engine whose ranks do not wait for each other before the optimizer. */
    public double longestSpan() {
        double longest = 0;
        for (int rank = 0; rank < starts.length; rank++) {
            longest = Math.max(longest, span(rank));
        }
        return longest;
    }

    /** Seconds a rank computes; the rest of {@link #seconds} it waits, sends or ends the step. */
    public double computeSeconds(int rank) {
        List<Instruction> program = schedule.instructions().get(rank);
        double seconds = 0;
        for (int i = 0; i < program.size(); i++) {
            if (isComputation(program.get(i))) {
                seconds += ends[rank][i] - starts[rank][i];
            }
        }
        return seconds;
    }

    /** Forward, backward in any form, or evaluation. */
    public static boolean isComputation(Instruction instruction) {
        return switch (instruction) {
            case Instruction.Forward f -> true;
            case Instruction.EvaluateLoss e -> true;
            case Instruction.Backward b -> true;
            case Instruction.BackwardInput b -> true;
            case Instruction.BackwardWeight b -> true;
            case Instruction.SendActivation s -> false;
            case Instruction.ReceiveActivation r -> false;
            case Instruction.SendGradient s -> false;
            case Instruction.ReceiveGradient r -> false;
            case Instruction.OnStates s -> false;
            case Instruction.ReduceTiedGradients t -> false;
            case Instruction.OptimizerStep o -> false;
        };
    }
}
