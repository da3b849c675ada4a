package io.penstock.partitioner.estimate;

import io.penstock.partitioner.CostModel.PhaseSeconds;
import io.penstock.partitioner.cluster.Cluster;
import io.penstock.partitioner.cluster.Device;
import io.penstock.partitioner.estimate.Layout.Recompute;

/**
 * Seconds of one block and of the head for one micro-batch on one device of a tensor-parallel group: products, memory passes as Megatron's kernels of 2021 make them (attention
 * is not fused), and two all-reduces each way.
 */
public final class LayerTimes {
    private static final double BYTES = 2;
    /** A logit: to 32 bit (2 + 4), maximum 4, difference 8, exponential 8, sum 4, quotient 8. */
    private static final double LOSS_FORWARD_BYTES = 38;
    /** A logit: gradient 8, to 16 bit 6. */
    private static final double LOSS_BACKWARD_BYTES = 14;

    private final Transformer model;
    private final Cluster cluster;
    private final Device device;
    private final int tensor;
    private final double sequences;
    private final double rows;
    /** Over how many devices norms, dropouts and residuals are divided: all of the group with sequence parallelism, else none. */
    private final double shared;

    private final boolean sequenceParallel;
    private final boolean splitBackward;

    /** {@code splitBackward}: whether weight gradients wait, so that no reduction can hide behind them. */
    public LayerTimes(
            Transformer model,
            Cluster cluster,
            int tensor,
            int microBatch,
            boolean sequenceParallel,
            boolean splitBackward) {
        this.model = model;
        this.cluster = cluster;
        this.device = cluster.device();
        this.tensor = tensor;
        this.sequences = microBatch;
        this.rows = (double) microBatch * model.sequence();
        this.shared = sequenceParallel ? tensor : 1;
        this.sequenceParallel = sequenceParallel;
        this.splitBackward = splitBackward;
    }

    /** One block, recomputation counted into its input gradient. */
    public PhaseSeconds block(Recompute recompute) {
        double attention = attentionCore();
        double forward = projections() + attention + forwardReductions();
        double again = switch (recompute) {
            case NONE -> 0;
            case SELECTIVE -> attention;
            case FULL -> forward;
            case AS_NEEDED -> throw new IllegalArgumentException("of one block");
        };
        double weight = weightProducts();
        double input = inputProducts() + inputPasses() + backwardReductions(weight) + again;
        return new PhaseSeconds(forward, input, weight + accumulation());
    }

    private double hiddenBytes() {
        return BYTES * rows * model.hidden();
    }

    /** After attention and feed-forward; with sequence parallelism each in two halves. */
    private double forwardReductions() {
        return sequenceParallel
                ? 4 * cluster.inNode().allGather(hiddenBytes(), tensor)
                : 2 * cluster.inNode().allReduce(hiddenBytes(), tensor);
    }

    /**
     * What backward waits for. Input gradients are reduced while weight gradients are computed, where the engine does that; what sequence parallelism gathers before a product
     * nothing hides.
     */
    private double backwardReductions(double weight) {
        double reduced = sequenceParallel
                ? 2 * cluster.inNode().allGather(hiddenBytes(), tensor)
                : 2 * cluster.inNode().allReduce(hiddenBytes(), tensor);
        double gathered = sequenceParallel ? 2 * cluster.inNode().allGather(hiddenBytes(), tensor) : 0;
        boolean hides = cluster.software().hidesGradientReduction() && !splitBackward;
        return gathered + (hides ? Math.max(0, reduced - weight) : reduced);
    }

    private double accumulation() {
        return device.passes(cluster.software().accumulationBytes() * model.blockParameters() / tensor, 0);
    }

    /** Final projection to the vocabulary and loss; never recomputed. */
    public PhaseSeconds head() {
        double product = device.product(rows, model.hidden(), (double) model.vocabulary() / tensor, 1);
        double logits = rows * model.vocabulary() / tensor;
        return new PhaseSeconds(
                product + device.passes(LOSS_FORWARD_BYTES * logits, 6),
                product + device.passes(LOSS_BACKWARD_BYTES * logits, 2),
                product);
    }

    private double headSize() {
        return (double) model.hidden() / model.heads();
    }

    private double headsHere() {
        return sequences * model.heads() / tensor;
    }

    private double qkv() {
        return (model.hidden() + 2 * model.keyValueSize()) / tensor;
    }

    private double up() {
        return (model.gated() ? 2.0 : 1.0) * model.intermediate() / tensor;
    }

    private double scores() {
        return headsHere() * model.sequence() * model.sequence();
    }

    /** Scores, softmax with dropout (9 bytes a score), and values. */
    private double attentionCore() {
        double s = model.sequence();
        return device.product(s, headSize(), s, headsHere())
                + device.product(s, s, headSize(), headsHere())
                + device.passes(9 * scores(), 2);
    }

    private double projections() {
        double c = model.hidden();
        return device.product(rows, c, qkv(), 1)
                + device.product(rows, c / tensor, c, 1)
                + device.product(rows, c, up(), 1)
                + device.product(rows, (double) model.intermediate() / tensor, c, 1)
                + device.passes(4 * rows * up() + 22 * rows * c / shared, 4);
    }

    private double inputProducts() {
        double c = model.hidden();
        double s = model.sequence();
        return device.product(rows, qkv(), c, 1)
                + 2 * device.product(s, headSize(), s, headsHere())
                + 2 * device.product(s, s, headSize(), headsHere())
                + device.product(rows, c, c / tensor, 1)
                + device.product(rows, up(), c, 1)
                + device.product(rows, c, (double) model.intermediate() / tensor, 1);
    }

    private double inputPasses() {
        return device.passes(11 * scores() + 6 * rows * up() + 26 * rows * model.hidden() / shared, 10);
    }

    private double weightProducts() {
        double c = model.hidden();
        return device.product(c, rows, qkv(), 1)
                + device.product(c / tensor, rows, c, 1)
                + device.product(c, rows, up(), 1)
                + device.product((double) model.intermediate() / tensor, rows, c, 1);
    }
}
