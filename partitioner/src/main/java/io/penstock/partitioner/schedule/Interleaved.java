package io.penstock.partitioner.schedule;

import io.penstock.partitioner.schedule.Instruction.Backward;
import io.penstock.partitioner.schedule.Instruction.Forward;
import io.penstock.partitioner.schedule.Instruction.OnMicroBatch;
import java.util.ArrayList;
import java.util.List;

/**
 * Interleaved 1F1B: a rank holds several chunks and takes micro-batches in groups, so the bubble shrinks by the number of chunks. Narayanan et al. 2021 (arXiv 2104.04473).
 */
final class Interleaved {
    private Interleaved() {}

    /**
     * Groups of {@code ranks} micro-batches, so the order is made for the next multiple of that; the surplus is for the caller to drop.
     */
    static List<OnMicroBatch> order(int rank, int ranks, int microBatches, int chunks) {
        int rounded = Math.ceilDiv(microBatches, ranks) * ranks;
        int total = rounded * chunks;
        int warmup = Math.min(2 * (ranks - rank - 1) + (chunks - 1) * ranks, total);
        List<OnMicroBatch> order = new ArrayList<>();
        for (int k = 0; k < warmup; k++) {
            order.add(new Forward(microBatch(k, ranks, chunks), k / ranks % chunks));
        }
        for (int k = 0; k < total; k++) {
            int ahead = warmup + k;
            if (ahead < total) {
                order.add(new Forward(microBatch(ahead, ranks, chunks), ahead / ranks % chunks));
            }
            order.add(new Backward(microBatch(k, ranks, chunks), chunks - 1 - k / ranks % chunks));
        }
        return order;
    }

    /** Of the k-th chunk computation: a group goes through all chunks before the next group starts. */
    private static int microBatch(int k, int ranks, int chunks) {
        return k / (ranks * chunks) * ranks + k % ranks;
    }
}
