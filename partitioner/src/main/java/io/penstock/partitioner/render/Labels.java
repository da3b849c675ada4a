package io.penstock.partitioner.render;

import io.penstock.partitioner.schedule.Instruction;

/** Short names of instructions, as in schedule files: F3, I3.1, W3, and words for the rest. */
final class Labels {
    private Labels() {}

    static String label(Instruction instruction) {
        return switch (instruction) {
            case Instruction.Forward f -> "F" + place(f);
            case Instruction.EvaluateLoss e -> "E" + place(e);
            case Instruction.Backward b -> "B" + place(b);
            case Instruction.BackwardInput b -> "I" + place(b);
            case Instruction.BackwardWeight b -> "W" + place(b);
            case Instruction.SendActivation s -> "send activation " + place(s);
            case Instruction.ReceiveActivation r -> "receive activation " + place(r);
            case Instruction.SendGradient s -> "send gradient " + place(s);
            case Instruction.ReceiveGradient r -> "receive gradient " + place(r);
            case Instruction.ReduceTiedGradients t -> "reduce tied gradients";
            case Instruction.OptimizerStep o -> "optimizer step";
        };
    }

    private static String place(Instruction.OnMicroBatch on) {
        return on.microBatch() + (on.chunk() > 0 ? "." + on.chunk() : "");
    }
}
