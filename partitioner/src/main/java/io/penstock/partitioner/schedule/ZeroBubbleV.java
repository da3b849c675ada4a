package io.penstock.partitioner.schedule;

import io.penstock.partitioner.schedule.Instruction.BackwardInput;
import io.penstock.partitioner.schedule.Instruction.BackwardWeight;
import io.penstock.partitioner.schedule.Instruction.Forward;
import io.penstock.partitioner.schedule.Instruction.OnMicroBatch;
import java.util.ArrayList;
import java.util.List;

/**
 * ZB-V: two chunks a rank laid out as a V; no bubble of its own where the three computations take the same time, and the memory of 1F1B's first rank on every rank. Qi et
 * al. 2024 (arXiv 2405.15362).
 */
final class ZeroBubbleV {
    private final List<OnMicroBatch> order = new ArrayList<>();
    /** Next micro-batch of each chunk, by computation. */
    private final int[] forward = new int[2];

    private final int[] input = new int[2];
    private final int[] weight = new int[2];

    private ZeroBubbleV() {}

    /** The rule needs {@code 2 * ranks - 1} micro-batches; the order is made for at least those, the surplus is for the caller to drop. */
    static List<OnMicroBatch> order(int rank, int ranks, int microBatches) {
        ZeroBubbleV v = new ZeroBubbleV();
        v.warmUp(rank, ranks);
        int needed = Math.max(microBatches, 2 * ranks - 1);
        while (v.forward[1] < v.forward[0] || v.forward[0] < needed) {
            if (v.forward[0] < needed) {
                v.forward(0);
            }
            v.input(0);
            v.weight(0);
            v.forward(1);
            v.input(1);
            v.weight(1);
        }
        v.coolDown(rank, ranks);
        return v.order;
    }

    private void warmUp(int rank, int ranks) {
        for (int i = 0; i < 2 * (ranks - rank) - 1; i++) {
            forward(0);
        }
        for (int i = 0; i < rank; i++) {
            forward(1);
            forward(0);
        }
        for (int i = 0; i < ranks - rank; i++) {
            forward(1);
            input(1);
            weight(1);
        }
    }

    private void coolDown(int rank, int ranks) {
        for (int i = 0; i < rank; i++) {
            input(0);
            input(1);
        }
        for (int i = 0; i < ranks - rank; i++) {
            input(0);
            weight(0);
        }
        while (weight[1] < input[1]) {
            weight(1);
        }
        while (weight[0] < input[0]) {
            weight(0);
        }
    }

    private void forward(int chunk) {
        order.add(new Forward(forward[chunk]++, chunk));
    }

    private void input(int chunk) {
        order.add(new BackwardInput(input[chunk]++, chunk));
    }

    private void weight(int chunk) {
        order.add(new BackwardWeight(weight[chunk]++, chunk));
    }
}
