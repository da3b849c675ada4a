package io.penstock.partitioner.schedule;

import io.penstock.partitioner.schedule.Instruction.BackwardInput;
import io.penstock.partitioner.schedule.Instruction.BackwardWeight;
import io.penstock.partitioner.schedule.Instruction.Forward;
import io.penstock.partitioner.schedule.Instruction.OnMicroBatch;
import java.util.ArrayList;
import java.util.List;

/**
 * ZB-H1: weight gradients fill the bubble of 1F1B, a third of which is left; every rank holds up to {@code ranks} micro-batches. Qi et al. 2023 (arXiv 2401.10241).
 */
final class ZeroBubbleH1 {
    private ZeroBubbleH1() {}

    static List<OnMicroBatch> order(int rank, int ranks, int microBatches) {
        return fill(Math.min(ranks - 1 - rank, microBatches), rank, microBatches);
    }

    /** ZB-H2, kept for the published check: twice the warm-up of H1 and twice its delay of weight gradients. */
    static List<OnMicroBatch> orderH2(int rank, int ranks, int microBatches) {
        return fill(Math.min(2 * (ranks - 1 - rank), microBatches), 2 * rank, microBatches);
    }

    private static List<OnMicroBatch> fill(int warmup, int delay, int microBatches) {
        List<OnMicroBatch> order = new ArrayList<>();
        int weight = 0;
        for (int i = 0; i < warmup; i++) {
            order.add(new Forward(i, 0));
        }
        for (int i = 0; i < microBatches; i++) {
            boolean coolDown = warmup + i >= microBatches;
            if (!coolDown) {
                order.add(new Forward(warmup + i, 0));
            }
            order.add(new BackwardInput(i, 0));
            if (coolDown || i >= delay) {
                order.add(new BackwardWeight(weight++, 0));
            }
        }
        while (weight < microBatches) {
            order.add(new BackwardWeight(weight++, 0));
        }
        return order;
    }
}
