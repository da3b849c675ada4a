package io.penstock.partitioner.schedule;

import java.util.List;

/**
 * The instructions of one step, a list a pipeline rank. Stage {@code s} (0-based, in model order) is a chunk of a rank; {@code stageOf[rank][chunk]} gives it.
 *
 * @param name the value of {@code parallelism.schedule}
 * @param microBatches micro-batches a step
 * @param stageOf the stage of each rank's chunks
 * @param instructions of each rank, in program order
 */
public record Schedule(
        String name, int microBatches, List<List<Integer>> stageOf, List<List<Instruction>> instructions) {
    public Schedule {
        stageOf = stageOf.stream().map(List::copyOf).toList();
        instructions = instructions.stream().map(List::copyOf).toList();
    }

    /** Whether any backward runs in halves. */
    public boolean splitsBackward() {
        return instructions.stream()
                .anyMatch(program -> program.stream().anyMatch(Instruction.BackwardInput.class::isInstance));
    }

    public int ranks() {
        return instructions.size();
    }

    public int chunks() {
        return stageOf.get(0).size();
    }

    public int stages() {
        return ranks() * chunks();
    }
}
