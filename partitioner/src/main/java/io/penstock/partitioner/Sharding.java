package io.penstock.partitioner;

import io.penstock.tensor.Checks;

/**
 * How replicas share a step: data parallelism, ZeRO (Rajbhandari et al. 2020) and the order in which gradients are summed.
 *
 * <p>The micro-batches of a step, in order, are cut in <em>leaves</em> of equal size, and the leaves in <em>rounds</em> of {@code width}. The gradient of a leaf is summed in
 * micro-batch order, those of a round as a balanced binary tree, those of the rounds in their order:
 *
 * <pre>
 * width 4, data 2:     round 0                       round 1
 *                  ((l0 + l1) + (l2 + l3))   +   ((l4 + l5) + (l6 + l7))
 * replica            0    1      0    1            0    1      0    1
 * </pre>
 *
 * <p>Replica {@code d} runs the leaves {@code k * data + d} of a round: the lowest levels of the tree lie across replicas, the upper ones over each replica's leaves. Runs of
 * the same {@code width} and leaf size have the same bits for every {@code data}.
 *
 * @param data replicas, a power of two
 * @param zeroStage what they share: 0 nothing, 1 optimizer states, 2 gradients too, 3 parameters too
 * @param width leaves of a round, a power of two, at least {@code data}
 * @param leaf micro-batches of a leaf; 0 for as many as make the step one round
 * @param window with stages 2 and 3: blocks whose whole matrices are held at once, the one at work and those fetched ahead; at least 2
 */
public record Sharding(int data, int zeroStage, int width, int leaf, int window) {
    /** One replica that holds everything and sums in micro-batch order. */
    public static final Sharding NONE = new Sharding(1, 0, 1, 0, 2);

    public Sharding {
        requirePowerOfTwo(data, "data");
        requirePowerOfTwo(width, "gradient_sum.width");
        if (zeroStage < 0 || zeroStage > 3) {
            throw new PlanException("zero_stage=" + zeroStage + ": expected 0, 1, 2 or 3");
        }
        if (width < data) {
            throw new PlanException("gradient_sum.width=" + width + " for data=" + data
                    + " replicas: each replica makes at least one of the sums");
        }
        if (leaf < 0) {
            throw new PlanException("gradient_sum.leaf=" + leaf + " micro-batches: expected 0 or more");
        }
        if (window < 2) {
            throw new PlanException(
                    "zero_window=" + window + " blocks: at least 2, one at work and one on its way, are needed");
        }
    }

    private static void requirePowerOfTwo(int value, String name) {
        if (value < 1 || Integer.bitCount(value) != 1) {
            throw new PlanException(name + "=" + value + ": expected a power of two (gradients are summed as a balanced"
                    + " binary tree); the nearest is " + Integer.highestOneBit(Math.max(1, value)));
        }
    }

    /** Leaves that one replica runs in a round. */
    public int leavesOfRound() {
        return width / data;
    }

    /** Micro-batches of a leaf, where each replica runs {@code microBatches} a step. */
    public int leafSize(int microBatches) {
        return Math.toIntExact(
                leaf == 0
                        ? Checks.divideExact(
                                microBatches, "micro-batches of a replica", leavesOfRound(), "leaves of a round")
                        : leaf);
    }

    public int rounds(int microBatches) {
        return Math.toIntExact(Checks.divideExact(
                microBatches,
                "micro-batches of a replica",
                (long) leavesOfRound() * leafSize(microBatches),
                "leaves of a round * gradient_sum.leaf"));
    }

    /** The leaf of a replica's micro-batch, counted from 0 over the replica's whole step. */
    public int leafOf(int microBatch, int microBatches) {
        return microBatch / leafSize(microBatches);
    }

    /** Whether a micro-batch is the first of its leaf. */
    public boolean beginsLeaf(int microBatch, int microBatches) {
        return microBatch % leafSize(microBatches) == 0;
    }

    /** Whether a micro-batch is the last of its leaf. */
    public boolean endsLeaf(int microBatch, int microBatches) {
        return (microBatch + 1) % leafSize(microBatches) == 0;
    }

    /** The place in the global batch of a replica's micro-batch. */
    public int globalMicroBatch(int microBatch, int replica, int microBatches) {
        int size = leafSize(microBatches);
        return (microBatch / size * data + replica) * size + microBatch % size;
    }

    /** Whether optimizer states are cut in parts. */
    public boolean shardsOptimizer() {
        return zeroStage >= 1 && data > 1;
    }

    /** Whether a replica holds whole gradients of a few blocks at a time only: every micro-batch must be a leaf for that. */
    public boolean windowsGradients(int microBatches) {
        return zeroStage >= 2 && data > 1 && leafSize(microBatches) == 1;
    }

    /** Whether a replica holds whole parameters of a few blocks at a time only. */
    public boolean windowsParameters() {
        return zeroStage >= 3 && data > 1;
    }

    /** Whether the sum of a step is memory of its own, beside the gradients of the leaf at work. */
    public boolean keepsSumApart(int microBatches) {
        return rounds(microBatches) > 1;
    }
}
