package io.penstock.partitioner;

import io.penstock.tensor.Checks;

/**
 * How replicas share a step: data parallelism, ZeRO (Rajbhandari et al. 2020) and the order in which gradients are summed.
 *
 * <p>The micro-batches of a step, in order, are cut in {@code sums} groups of equal size. A group's gradient is summed in micro-batch order; the groups' gradients are summed
 * as a balanced binary tree. Replica {@code d} runs the groups {@code k * data + d}, so the lowest levels of the tree lie across replicas and the upper ones over each
 * replica's groups: runs with the same {@code sums} have the same bits for every {@code data}.
 *
 * @param data replicas, a power of two
 * @param zeroStage what they share: 0 nothing, 1 optimizer states, 2 gradients too, 3 parameters too
 * @param sums groups of micro-batches a step, a power of two, at least {@code data}
 * @param window with stages 2 and 3: layers whose whole gradients and parameters are held at once, the one at work and those fetched ahead; at least 2
 */
public record Sharding(int data, int zeroStage, int sums, int window) {
    /** One replica that holds everything and sums in micro-batch order. */
    public static final Sharding NONE = new Sharding(1, 0, 1, 2);

    public Sharding {
        requirePowerOfTwo(data, "data");
        requirePowerOfTwo(sums, "sums");
        if (zeroStage < 0 || zeroStage > 3) {
            throw new PlanException("zero_stage=" + zeroStage + ": expected 0, 1, 2 or 3");
        }
        if (sums < data) {
            throw new PlanException(
                    "sums=" + sums + " partial sums for data=" + data + " replicas: each replica makes at least one");
        }
        if (window < 2) {
            throw new PlanException(
                    "window=" + window + " layers: at least 2, one at work and one on its way, are needed");
        }
    }

    private static void requirePowerOfTwo(int value, String name) {
        if (value < 1 || Integer.bitCount(value) != 1) {
            throw new PlanException(name + "=" + value + ": expected a power of two (gradients are summed as a balanced"
                    + " binary tree); the nearest is " + Integer.highestOneBit(Math.max(1, value)));
        }
    }

    /** Groups of each replica. */
    public int groups() {
        return sums / data;
    }

    /** Micro-batches of one group, of the {@code microBatches} that each replica runs. */
    public int groupSize(int microBatches) {
        return Math.toIntExact(Checks.divideExact(microBatches, "micro-batches a replica", groups(), "sums / data"));
    }

    /** The place in the global batch of a replica's micro-batch; {@code microBatches} each replica runs. */
    public int globalMicroBatch(int microBatch, int replica, int microBatches) {
        int size = groupSize(microBatches);
        return (microBatch / size * data + replica) * size + microBatch % size;
    }

    /** Whether gradients and optimizer states are cut in parts at all. */
    public boolean shardsOptimizer() {
        return zeroStage >= 1 && data > 1;
    }

    /** Whether a replica holds whole gradients of a few layers at a time only: a group must end with every micro-batch for that. */
    public boolean windowsGradients(int microBatches) {
        return zeroStage >= 2 && data > 1 && groupSize(microBatches) == 1;
    }

    /** Whether a replica holds whole parameters of a few layers at a time only. */
    public boolean windowsParameters() {
        return zeroStage >= 3 && data > 1;
    }
}
