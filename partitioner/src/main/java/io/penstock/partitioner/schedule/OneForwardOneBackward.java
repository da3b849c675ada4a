package io.penstock.partitioner.schedule;

import io.penstock.partitioner.schedule.Instruction.Backward;
import io.penstock.partitioner.schedule.Instruction.Forward;
import io.penstock.partitioner.schedule.Instruction.OnMicroBatch;
import java.util.ArrayList;
import java.util.List;

/** 1F1B: rank r holds at most {@code ranks - r} micro-batches; same bubble as GPipe. Narayanan et al. 2019 (PipeDream-Flush). */
final class OneForwardOneBackward {
    private OneForwardOneBackward() {}

    static List<OnMicroBatch> order(int rank, int ranks, int microBatches) {
        int warmup = Math.min(ranks - 1 - rank, microBatches);
        List<OnMicroBatch> order = new ArrayList<>();
        for (int i = 0; i < warmup; i++) {
            order.add(new Forward(i, 0));
        }
        for (int i = 0; i < microBatches; i++) {
            if (warmup + i < microBatches) {
                order.add(new Forward(warmup + i, 0));
            }
            order.add(new Backward(i, 0));
        }
        return order;
    }
}
