package io.penstock.partitioner.schedule;

import io.penstock.partitioner.schedule.Instruction.Backward;
import io.penstock.partitioner.schedule.Instruction.BackwardInput;
import io.penstock.partitioner.schedule.Instruction.BackwardWeight;
import io.penstock.partitioner.schedule.Instruction.EvaluateLoss;
import io.penstock.partitioner.schedule.Instruction.Forward;
import io.penstock.partitioner.schedule.Instruction.OnMicroBatch;
import io.penstock.partitioner.schedule.Instruction.ReceiveActivation;
import io.penstock.partitioner.schedule.Instruction.ReceiveGradient;
import io.penstock.partitioner.schedule.Instruction.SendActivation;
import io.penstock.partitioner.schedule.Instruction.SendGradient;
import java.util.List;

/** What has happened to every micro-batch on one stage, and whether an instruction may happen next. */
final class StageProgress {
    private static final int ACTIVATION_RECEIVED = 1;
    private static final int FORWARD = 2;
    private static final int ACTIVATION_SENT = 4;
    private static final int GRADIENT_RECEIVED = 8;
    private static final int INPUT = 16;
    private static final int WEIGHT = 32;
    private static final int GRADIENT_SENT = 64;
    private static final int EVALUATED = 128;

    private final Placement placement;
    private final int stage;
    private final StageProgress[] stages;
    private final int[] done;
    private int nextInput;
    private int nextWeight;

    StageProgress(Placement placement, int stage, int microBatches, StageProgress[] stages) {
        this.placement = placement;
        this.stage = stage;
        this.stages = stages;
        done = new int[microBatches];
    }

    private boolean has(int microBatch, int event) {
        return (done[microBatch] & event) != 0;
    }

    /** What is wrong with an instruction here and now, empty if nothing; waiting is not wrong. */
    String wrong(OnMicroBatch instruction) {
        int i = instruction.microBatch();
        if ((done[i] & events(instruction)) != 0) {
            return "is done already";
        }
        return switch (instruction) {
            case ReceiveActivation r ->
                placement.receivesActivation(stage) ? peer(r.peerStageRank(), stage - 1) : "has nothing to receive";
            case ReceiveGradient r ->
                placement.receivesGradient(stage) ? peer(r.peerStageRank(), stage + 1) : "has nothing to receive";
            case SendActivation s ->
                !placement.receivesGradient(stage)
                        ? "has nobody to send to"
                        : !has(i, FORWARD) ? "comes before its forward" : peer(s.peerStageRank(), stage + 1);
            case SendGradient s ->
                !placement.receivesActivation(stage)
                        ? "has nobody to send to"
                        : !has(i, INPUT) ? "comes before its backward" : peer(s.peerStageRank(), stage - 1);
            case Forward f -> forward(i);
            case EvaluateLoss e -> has(i, FORWARD) ? "" : "comes before its forward";
            case Backward b -> {
                String input = input(i);
                yield input.isEmpty() ? weight(i) : input;
            }
            case BackwardInput b -> input(i);
            case BackwardWeight w -> has(i, INPUT) ? weight(i) : "comes before its input gradient";
        };
    }

    private String peer(int named, int peerStage) {
        int rank = placement.rankOf(peerStage);
        return named == rank ? "" : "names the wrong rank: stage " + peerStage + " is on rank " + rank;
    }

    private String forward(int i) {
        if (stage == 0) {
            return "";
        }
        boolean there =
                placement.receivesActivation(stage) ? has(i, ACTIVATION_RECEIVED) : stages[stage - 1].has(i, FORWARD);
        return there ? "" : "comes before its input, the output of stage " + (stage - 1);
    }

    private String input(int i) {
        if (!has(i, FORWARD)) {
            return "comes before its forward";
        }
        if (has(i, EVALUATED)) {
            return "comes after its evaluation";
        }
        if (i != nextInput) {
            // The head sums its weight gradient here.
            return "comes before the input gradient of micro-batch " + nextInput + ": sums would have other bits";
        }
        if (stage == placement.stages() - 1) {
            return "";
        }
        boolean there = placement.receivesGradient(stage) ? has(i, GRADIENT_RECEIVED) : stages[stage + 1].has(i, INPUT);
        return there ? "" : "comes before the gradient of its output, of stage " + (stage + 1);
    }

    private String weight(int i) {
        return i == nextWeight
                ? ""
                : "comes before the weight gradient of micro-batch " + nextWeight + ": their sum would have other bits";
    }

    void record(OnMicroBatch instruction) {
        int events = events(instruction);
        done[instruction.microBatch()] |= events;
        nextInput += (events & INPUT) != 0 ? 1 : 0;
        nextWeight += (events & WEIGHT) != 0 ? 1 : 0;
    }

    private static int events(OnMicroBatch instruction) {
        return switch (instruction) {
            case ReceiveActivation r -> ACTIVATION_RECEIVED;
            case Forward f -> FORWARD;
            case EvaluateLoss e -> EVALUATED;
            case SendActivation s -> ACTIVATION_SENT;
            case ReceiveGradient r -> GRADIENT_RECEIVED;
            case Backward b -> INPUT | WEIGHT;
            case BackwardInput b -> INPUT;
            case BackwardWeight w -> WEIGHT;
            case SendGradient s -> GRADIENT_SENT;
        };
    }

    void incomplete(boolean evaluation, List<Verdict.Problem> problems) {
        for (int i = 0; i < done.length; i++) {
            if (!has(i, FORWARD) || !has(i, evaluation ? EVALUATED : WEIGHT)) {
                String missing = !has(i, FORWARD) ? "forward" : evaluation ? "to its evaluation" : "backward";
                int rank = placement.rankOf(stage);
                problems.add(new Verdict.Problem(
                        rank, "stage " + stage + " (rank " + rank + ") never runs micro-batch " + i + " " + missing));
            }
        }
    }
}
