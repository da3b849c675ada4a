package io.penstock.partitioner.schedule;

import io.penstock.partitioner.schedule.Instruction.EvaluateLoss;
import io.penstock.partitioner.schedule.Instruction.Forward;
import io.penstock.partitioner.schedule.Instruction.OnMicroBatch;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Forwards only: groups of as many micro-batches as ranks go through stage after stage, which keeps all ranks busy. Every rank runs its part of that one order, so no placement
 * of stages can deadlock.
 */
final class Evaluation {
    private Evaluation() {}

    /** {@code stages}: of the rank's chunks. */
    static List<OnMicroBatch> order(int ranks, int microBatches, List<Integer> stages) {
        List<Integer> chunks = IntStream.range(0, stages.size())
                .boxed()
                .sorted(Comparator.comparing(stages::get))
                .toList();
        List<OnMicroBatch> order = new ArrayList<>();
        for (int group = 0; group < microBatches; group += ranks) {
            for (int chunk : chunks) {
                for (int i = group; i < Math.min(group + ranks, microBatches); i++) {
                    order.add(new Forward(i, chunk));
                    order.add(new EvaluateLoss(i, chunk));
                }
            }
        }
        return order;
    }
}
