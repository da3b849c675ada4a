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
            case Instruction.GatherParameters g -> "gather parameters of chunk " + g.chunk();
            case Instruction.ReleaseParameters r -> "release parameters of chunk " + r.chunk();
            case Instruction.ReduceGradients r -> "reduce gradients of chunk " + r.chunk() + ", leaf " + r.leaf();
            case Instruction.ReduceTiedGradients t -> "reduce tied gradients";
            case Instruction.OptimizerStep o -> "optimizer step";
        };
    }

    /** The page's colour: forward, backward, input, weight, message, end. */
    static String kind(Instruction instruction) {
        return switch (instruction) {
            case Instruction.Forward f -> "forward";
            case Instruction.EvaluateLoss e -> "forward";
            case Instruction.Backward b -> "backward";
            case Instruction.BackwardInput b -> "input";
            case Instruction.BackwardWeight b -> "weight";
            case Instruction.SendActivation s -> "message";
            case Instruction.ReceiveActivation r -> "message";
            case Instruction.SendGradient s -> "message";
            case Instruction.ReceiveGradient r -> "message";
            case Instruction.OnStates s -> "message";
            case Instruction.ReduceTiedGradients t -> "end";
            case Instruction.OptimizerStep o -> "end";
        };
    }

    private static String place(Instruction.OnMicroBatch on) {
        return on.microBatch() + (on.chunk() > 0 ? "." + on.chunk() : "");
    }
}
