package io.penstock.engine.execution;

import io.penstock.partitioner.schedule.Instruction;

/** What a rank does, in words for peers that lose it. */
public enum Activity {
    STARTING(0, "start"),
    FORWARD(1, "forward"),
    BACKWARD(2, "backward"),
    BACKWARD_INPUT(3, "input gradient"),
    BACKWARD_WEIGHT(4, "weight gradient"),
    EVALUATION(5, "evaluation"),
    SENDING(6, "sending"),
    RECEIVING(7, "receiving"),
    TIED_GRADIENTS(8, "sum of tied gradients"),
    OPTIMIZER(9, "optimizer step"),
    CHECKPOINT(10, "checkpoint"),
    GATHERING(11, "gathering of parameters"),
    REDUCING(12, "reduction of gradients");

    private static final Activity[] VALUES = values();

    private final int code;
    private final String words;

    Activity(int code, String words) {
        this.code = code;
        this.words = words;
    }

    static Activity of(Instruction instruction) {
        return switch (instruction) {
            case Instruction.Forward f -> FORWARD;
            case Instruction.Backward b -> BACKWARD;
            case Instruction.BackwardInput b -> BACKWARD_INPUT;
            case Instruction.BackwardWeight b -> BACKWARD_WEIGHT;
            case Instruction.EvaluateLoss e -> EVALUATION;
            case Instruction.SendActivation s -> SENDING;
            case Instruction.SendGradient s -> SENDING;
            case Instruction.ReceiveActivation r -> RECEIVING;
            case Instruction.ReceiveGradient r -> RECEIVING;
            case Instruction.GatherParameters g -> GATHERING;
            case Instruction.ReleaseParameters r -> GATHERING;
            case Instruction.ReduceGradients r -> REDUCING;
            case Instruction.ReduceTiedGradients r -> TIED_GRADIENTS;
            case Instruction.OptimizerStep o -> OPTIMIZER;
        };
    }

    /** The number that heartbeats carry. */
    int code() {
        return code;
    }

    /** Words for the number that heartbeats carry. */
    public static String words(int code) {
        for (Activity activity : VALUES) {
            if (activity.code == code) {
                return activity.words;
            }
        }
        return "activity " + code;
    }
}
