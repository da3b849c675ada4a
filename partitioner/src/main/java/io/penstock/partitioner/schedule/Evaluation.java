package io.penstock.partitioner.schedule;

import io.penstock.partitioner.schedule.Instruction.EvaluateLoss;
import io.penstock.partitioner.schedule.Instruction.Forward;
import io.penstock.partitioner.schedule.Instruction.OnMicroBatch;
import java.util.ArrayList;
import java.util.List;

/** Forwards only, the same order on every rank: groups of as many micro-batches as ranks go through chunk after chunk, which keeps all ranks busy. */
final class Evaluation {
    private Evaluation() {}

    static List<OnMicroBatch> order(int ranks, int microBatches, int chunks) {
        List<OnMicroBatch> order = new ArrayList<>();
        for (int group = 0; group < microBatches; group += ranks) {
            for (int chunk = 0; chunk < chunks; chunk++) {
                for (int i = group; i < Math.min(group + ranks, microBatches); i++) {
                    order.add(new Forward(i, chunk));
                    order.add(new EvaluateLoss(i, chunk));
                }
            }
        }
        return order;
    }
}
