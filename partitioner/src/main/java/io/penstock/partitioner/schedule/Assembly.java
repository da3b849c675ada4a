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
 * From computations to a schedule: a receive right before the computation that needs it, a send right after the one that makes it, none between two chunks of one rank, and
 * the end of the step.
 */
final class Assembly {
    private Assembly() {}

    /** Drops computations of micro-batches from {@code microBatches} on: what is left of an order free of deadlock stays so. */
    static Schedule assemble(
            String name,
            int microBatches,
            boolean tied,
            Placement placement,
            List<? extends List<? extends Instruction.OnMicroBatch>> compute) {
        List<List<Instruction>> ranks = new ArrayList<>();
        for (int rank = 0; rank < compute.size(); rank++) {
            List<Instruction> program = computations(microBatches, placement, compute.get(rank), rank);
            if (tied && (placement.rankOf(0) == rank || placement.rankOf(placement.stages() - 1) == rank)) {
                program.add(new ReduceTiedGradients());
            }
            program.add(new OptimizerStep());
            ranks.add(program);
        }
        return new Schedule(name, microBatches, placement.stageOf(), ranks);
    }

    /** An evaluation has neither backward nor optimizer step. */
    static Schedule assembleEvaluation(
            int microBatches, Placement placement, List<? extends List<? extends Instruction.OnMicroBatch>> compute) {
        List<List<Instruction>> ranks = new ArrayList<>();
        for (int rank = 0; rank < compute.size(); rank++) {
            ranks.add(computations(microBatches, placement, compute.get(rank), rank));
        }
        return new Schedule("evaluation", microBatches, placement.stageOf(), ranks);
    }

    private static List<Instruction> computations(
            int microBatches, Placement placement, List<? extends Instruction.OnMicroBatch> compute, int rank) {
        List<Instruction> program = new ArrayList<>();
        for (Instruction.OnMicroBatch instruction : compute) {
            if (instruction.microBatch() < microBatches) {
                add(program, instruction, placement, placement.stage(rank, instruction.chunk()));
            }
        }
        return program;
    }

    private static void add(
            List<Instruction> program, Instruction.OnMicroBatch instruction, Placement placement, int stage) {
        int microBatch = instruction.microBatch();
        int chunk = instruction.chunk();
        switch (instruction) {
            case Forward forward -> {
                if (placement.receivesActivation(stage)) {
                    program.add(new ReceiveActivation(microBatch, chunk, placement.rankOf(stage - 1)));
                }
                program.add(forward);
                if (placement.receivesGradient(stage)) {
                    program.add(new SendActivation(microBatch, chunk, placement.rankOf(stage + 1)));
                }
            }
            case Backward backward -> addBackward(program, backward, placement, stage);
            case BackwardInput backward -> addBackward(program, backward, placement, stage);
            case BackwardWeight backward -> program.add(backward);
            case EvaluateLoss loss -> program.add(loss);
            case SendActivation send -> throw new IllegalArgumentException("not a computation: " + send);
            case ReceiveActivation receive -> throw new IllegalArgumentException("not a computation: " + receive);
            case SendGradient send -> throw new IllegalArgumentException("not a computation: " + send);
            case ReceiveGradient receive -> throw new IllegalArgumentException("not a computation: " + receive);
        }
    }

    private static void addBackward(
            List<Instruction> program, Instruction.OnMicroBatch backward, Placement placement, int stage) {
        if (placement.receivesGradient(stage)) {
            program.add(new ReceiveGradient(backward.microBatch(), backward.chunk(), placement.rankOf(stage + 1)));
        }
        program.add(backward);
        if (placement.receivesActivation(stage)) {
            program.add(new SendGradient(backward.microBatch(), backward.chunk(), placement.rankOf(stage - 1)));
        }
    }
}
