package io.penstock.partitioner.memory;

import io.penstock.partitioner.schedule.Instruction;
import java.util.List;
import java.util.TreeSet;

/**
 * How many micro-batches a chunk of a rank holds at most. Slots are given by {@code microBatch mod count}, so what counts is the widest window of micro-batch numbers
 * held at once, which for first-in first-out schedules is their number.
 *
 * @param activations from forward (or its receive) to the weight gradient
 * @param stashes from the input gradient to the weight gradient; 0 where backward is fused
 */
public record Slots(int activations, int stashes) {
    /** Of chunk {@code chunk} in one rank's program. */
    public static Slots of(List<Instruction> program, int chunk) {
        Window activations = new Window();
        Window stashes = new Window();
        for (Instruction instruction : program) {
            if (!(instruction instanceof Instruction.OnMicroBatch on) || on.chunk() != chunk) {
                continue;
            }
            switch (on) {
                case Instruction.Forward f -> activations.open(f.microBatch());
                case Instruction.Backward b -> activations.close(b.microBatch());
                case Instruction.EvaluateLoss e -> activations.close(e.microBatch());
                case Instruction.BackwardInput i -> stashes.open(i.microBatch());
                case Instruction.BackwardWeight w -> {
                    stashes.close(w.microBatch());
                    activations.close(w.microBatch());
                }
                case Instruction.SendActivation s -> {}
                case Instruction.ReceiveActivation r -> {}
                case Instruction.SendGradient s -> {}
                case Instruction.ReceiveGradient r -> {}
            }
        }
        return new Slots(Math.max(1, activations.widest), stashes.widest);
    }

    private static final class Window {
        private final TreeSet<Integer> held = new TreeSet<>();
        private int widest;

        void open(int microBatch) {
            held.add(microBatch);
            widest = Math.max(widest, held.getLast() - held.getFirst() + 1);
        }

        void close(int microBatch) {
            held.remove(microBatch);
        }
    }
}
