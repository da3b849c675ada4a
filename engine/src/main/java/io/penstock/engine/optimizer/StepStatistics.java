package io.penstock.engine.optimizer;

import io.penstock.partitioner.Axes;
import io.penstock.tensor.HostMirror;
import io.penstock.tensor.Tensor;
import java.lang.foreign.MemorySegment;

/**
 * What ranks tell each other at the end of a step: the loss sum and the sum of squares of each segment of each parameter's gradient. Every rank fills what it owns and gathers
 * all; the totals are then summed in canonical order of parameters and segments, so that they have the same bits on every layout.
 *
 * <pre>
 * one rank's block, doubles in native order:  | loss, high | loss, low | parameter 0: segment 0 | ... | segment S-1 | parameter 1: ... |
 * </pre>
 */
public final class StepStatistics {
    private static final int LOSS = 2;

    private final Axes axes;
    private final int[] ownerOf;
    private final int[] partsOf;
    private final int lossOwner;
    private final int segments;
    private final HostMirror own;
    private final Tensor gathered;
    private final LossSum total = new LossSum();

    /**
     * @param axes of the ranks that tell
     * @param ownerOf the pipeline rank that owns each parameter of the model, in canonical order; of a tied one the embedding's
     * @param partsOf in how many parts each of them lies on a tensor-parallel group: 1 for what every rank of it holds
     * @param lossOwner the pipeline rank with the head
     * @param segments of a parameter, shared out evenly over the replicas
     * @param own a block of this rank
     * @param gathered (ranks, block), on the host
     */
    public StepStatistics(
            Axes axes, int[] ownerOf, int[] partsOf, int lossOwner, int segments, HostMirror own, Tensor gathered) {
        this.partsOf = partsOf.clone();
        this.axes = axes;
        this.ownerOf = ownerOf.clone();
        this.lossOwner = lossOwner;
        this.segments = segments;
        this.own = own;
        this.gathered = gathered;
    }

    public void loss(LossSum sum) {
        own.onHost().set(0, sum.high());
        own.onHost().set(1, sum.low());
    }

    /** Where a backend leaves the sum of squares of a segment of a gradient. {@code parameter}: its place in canonical order. */
    public Tensor squares(int parameter, int segment) {
        return own.numbers().slice(LOSS + (long) parameter * segments + segment, 1);
    }

    /** Takes all sums of squares that were left until now, before {@link #loss} is said. */
    public void readSquares() {
        own.read();
    }

    public boolean owns(int rank, int parameter) {
        return ownerOf[parameter] == axes.pipelineRank(rank) && axes.tensorRank(rank) < partsOf[parameter];
    }

    /** What this rank sends. */
    public MemorySegment own() {
        return own.onHost().segment();
    }

    /** Where the blocks of all ranks arrive, in rank order. */
    public MemorySegment gathered() {
        return gathered.segment();
    }

    private double of(int rank, long index) {
        return gathered.get(rank * own.onHost().elements() + index);
    }

    /** Over all replicas. */
    public double lossSum() {
        total.clear();
        for (int replica = 0; replica < axes.data(); replica++) {
            int rank = axes.rank(lossOwner, replica, 0);
            total.add(of(rank, 0), of(rank, 1));
        }
        return total.nats();
    }

    /** The global norm: every element of every parameter once. */
    public double gradientNorm() {
        int perReplica = segments / axes.data();
        double squares = 0;
        for (int parameter = 0; parameter < ownerOf.length; parameter++) {
            for (int part = 0; part < partsOf[parameter]; part++) {
                for (int segment = 0; segment < segments; segment++) {
                    int rank = axes.rank(ownerOf[parameter], segment / perReplica, part);
                    squares += of(rank, LOSS + (long) parameter * segments + segment);
                }
            }
        }
        return Math.sqrt(squares);
    }
}
