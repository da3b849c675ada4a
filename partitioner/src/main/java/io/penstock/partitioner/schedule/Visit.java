package io.penstock.partitioner.schedule;

import io.penstock.partitioner.schedule.Instruction.OnMicroBatch;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Consecutive computations of a rank on one micro-batch of one chunk: the time for which its activations must be on the device.
 *
 * @param first place of the first of them in the rank's program
 * @param last place of the last
 * @param returns whether its activations were saved by an earlier visit
 * @param leaves whether a later visit needs them
 */
public record Visit(int first, int last, int chunk, int microBatch, boolean returns, boolean leaves) {
    /** All visits of a program, in its order. */
    public static List<Visit> of(List<Instruction> program) {
        List<Visit> visits = new ArrayList<>();
        Set<Long> held = new HashSet<>();
        int first = -1;
        int last = -1;
        for (int i = 0; i < program.size(); i++) {
            if (!(program.get(i) instanceof OnMicroBatch on) || !computes(on)) {
                continue;
            }
            if (first >= 0 && !sameMicroBatch((OnMicroBatch) program.get(first), on)) {
                visits.add(visit(program, first, last, held));
                first = -1;
            }
            first = first < 0 ? i : first;
            last = i;
        }
        if (first >= 0) {
            visits.add(visit(program, first, last, held));
        }
        return visits;
    }

    private static boolean computes(OnMicroBatch on) {
        return switch (on) {
            case Instruction.Forward f -> true;
            case Instruction.EvaluateLoss e -> true;
            case Instruction.Backward b -> true;
            case Instruction.BackwardInput b -> true;
            case Instruction.BackwardWeight b -> true;
            case Instruction.SendActivation s -> false;
            case Instruction.ReceiveActivation r -> false;
            case Instruction.SendGradient s -> false;
            case Instruction.ReceiveGradient r -> false;
        };
    }

    private static boolean sameMicroBatch(OnMicroBatch one, OnMicroBatch other) {
        return one.chunk() == other.chunk() && one.microBatch() == other.microBatch();
    }

    /** {@code held}: what is saved before it, changed to what is saved after it. */
    private static Visit visit(List<Instruction> program, int first, int last, Set<Long> held) {
        OnMicroBatch begin = (OnMicroBatch) program.get(first);
        Instruction end = program.get(last);
        long key = ((long) begin.chunk() << Integer.SIZE) + begin.microBatch();
        boolean returns = held.contains(key);
        boolean leaves = end instanceof Instruction.Forward || end instanceof Instruction.BackwardInput;
        if (leaves) {
            held.add(key);
        } else {
            held.remove(key);
        }
        return new Visit(first, last, begin.chunk(), begin.microBatch(), returns, leaves);
    }
}
