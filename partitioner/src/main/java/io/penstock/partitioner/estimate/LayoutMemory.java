package io.penstock.partitioner.estimate;

import io.penstock.partitioner.cluster.Cluster;
import io.penstock.partitioner.estimate.Layout.Recompute;

/**
 * Bytes a rank would hold: 18 a parameter (16-bit value, 32-bit gradient, 12 of optimizer) sharded by ZeRO, and activations by the formulas of arXiv 2205.05198 for the
 * micro-batches that the schedule keeps in flight. For layouts beyond what the engine's own tables cover.
 */
public final class LayoutMemory {
    private static final double VALUE_BYTES = 2;
    private static final double GRADIENT_BYTES = 4;
    private static final double OPTIMIZER_BYTES = 12;
    /** With ZeRO-3: blocks whose parameters are whole at once, the one at work and the next. */
    private static final double GATHERED_BLOCKS = 2;
    /** Offloaded activations: the micro-batch at work and the one on its way. */
    private static final double SETS_ON_DEVICE = 2;

    private final Transformer model;
    private final Layout layout;

    public LayoutMemory(Transformer model, Layout layout) {
        this.model = model;
        this.layout = layout;
    }

    /** Bytes a parameter on the device. */
    static double bytesPerParameter(Layout layout) {
        double d = layout.data();
        int zero = layout.zeroStage();
        return (zero >= 3 ? VALUE_BYTES / d : VALUE_BYTES)
                + (zero >= 2 ? GRADIENT_BYTES / d : GRADIENT_BYTES)
                + (layout.offload().optimizer() ? 0 : optimizerBytes(layout));
    }

    private static double optimizerBytes(Layout layout) {
        return layout.zeroStage() >= 1 ? OPTIMIZER_BYTES / layout.data() : OPTIMIZER_BYTES;
    }

    /** Chunk-sized sets of activations that a rank holds at its peak; {@code InFlight} counts the same from the instructions. */
    static double chunksInFlight(Layout layout, int rank) {
        int p = layout.pipeline();
        int m = layout.microBatches();
        int v = layout.chunks();
        return switch (layout.schedule()) {
            case "gpipe" -> m;
            case "zb-h1" -> Math.min(p, m);
            case "zb-v" -> Math.min(2.0 * p, 2.0 * m);
            case "interleaved-1f1b" -> Math.min(2.0 * (p - rank - 1) + (v - 1.0) * p + 1, (double) m * v);
            default -> Math.min(p - rank, m);
        };
    }

    /** Chunk-sized sets of what a weight gradient still needs while it waits for its turn; 0 where it follows its input gradient at once. */
    static double chunksStashed(Layout layout, int rank) {
        return switch (layout.schedule()) {
            case "zb-h1" -> Math.min(rank + 1, layout.microBatches());
            case "zb-v" -> Math.min(2.0 * rank + 1, 2.0 * layout.microBatches());
            default -> 0;
        };
    }

    /** As many micro-batches' activations of the whole rank, on the device. */
    private double setsOnDevice(int rank) {
        double held = chunksInFlight(layout, rank) / layout.chunks();
        return layout.offload().activations() ? Math.min(held, SETS_ON_DEVICE) : held;
    }

    /** What one block keeps of one micro-batch. */
    double blockActivations(Recompute recompute) {
        double rows = (double) layout.microBatch() * model.sequence();
        double sbh = rows * model.hidden();
        double scores = 5.0 * model.heads() * model.sequence() / model.hidden();
        double t = layout.tensor();
        double whole = layout.sequenceParallel() ? t : 1;
        double wide = 8 + 4.0 * (model.gated() ? 3 : 2) * model.intermediate() / model.hidden() / 2;
        return switch (recompute) {
            case NONE -> sbh * (10 / whole + wide / t + scores / t);
            case SELECTIVE -> sbh * (10 / whole + wide / t);
            case FULL -> sbh * 2 / whole;
            case AS_NEEDED -> throw new IllegalArgumentException("of one block");
        };
    }

    /** What a rank keeps of one micro-batch from its forward to its backward. */
    double activationsOfRank(Share share, Recomputed again) {
        double rows = (double) layout.microBatch() * model.sequence();
        int kept = share.blocks() - again.full() - again.selective();
        return kept * blockActivations(Recompute.NONE)
                + again.selective() * blockActivations(Recompute.SELECTIVE)
                + again.full() * blockActivations(Recompute.FULL)
                + (share.first() ? 4 * rows : 0);
    }

    /** What a rank keeps of one micro-batch between input and weight gradient: what was computed again for the one stays for the other. */
    double stashOfRank(Recomputed again) {
        return again.full() * (blockActivations(Recompute.SELECTIVE) - blockActivations(Recompute.FULL));
    }

    /** Parameters, gradients, optimizer and what a computation needs for its own time. */
    double fixedBytes(Share share, Recomputed again) {
        return parameters(share) * bytesPerParameter(layout) + gathered(share) + transientBytes(share, again);
    }

    private double gathered(Share share) {
        return layout.zeroStage() >= 3
                ? VALUE_BYTES
                        * Math.min(GATHERED_BLOCKS, share.blocks())
                        * model.blockParameters()
                        / layout.tensor()
                        * (layout.data() - 1)
                        / layout.data()
                : 0;
    }

    /** The most that a rank holds on its device. */
    double rankBytes(int rank, Share share, Recomputed again) {
        return fixedBytes(share, again)
                + setsOnDevice(rank) * activationsOfRank(share, again)
                + chunksStashed(layout, rank) / layout.chunks() * stashOfRank(again);
    }

    /** What a rank holds in its share of the host's memory. */
    double hostBytes(int rank, Share share, Recomputed again) {
        double moved = chunksInFlight(layout, rank) / layout.chunks() - setsOnDevice(rank);
        return (layout.offload().optimizer() ? parameters(share) * optimizerBytes(layout) : 0)
                + moved * activationsOfRank(share, again);
    }

    boolean fits(Cluster cluster, int rank, Share share, Recomputed again) {
        return rankBytes(rank, share, again) <= cluster.device().memoryBytes()
                && hostBytes(rank, share, again) <= cluster.host().memoryBytes();
    }

    /** Bytes of a micro-batch's activations on the device by which the rank's memory grows while it is in flight. */
    double heldActivations(int rank, Share share, Recomputed again) {
        double sets = chunksInFlight(layout, rank) / layout.chunks();
        return activationsOfRank(share, again) * setsOnDevice(rank) / sets;
    }

    /** On one device of a tensor-parallel group. */
    double parameters(Share share) {
        double tables =
                share.first() && share.last() && model.tied() ? 1 : (share.first() ? 1 : 0) + (share.last() ? 1 : 0);
        return (share.blocks() * model.blockParameters() + tables * model.embeddingParameters()) / layout.tensor();
    }

    /** What one micro-batch needs while it is computed: logits in 16 and 32 bit, or one recomputed block. */
    private double transientBytes(Share share, Recomputed again) {
        double rows = (double) layout.microBatch() * model.sequence();
        double logits = share.last() ? 6 * rows * model.vocabulary() / layout.tensor() : 0;
        double block = again.full() == 0 ? 0 : blockActivations(Recompute.NONE);
        double scores =
                again.selective() == 0 ? 0 : blockActivations(Recompute.NONE) - blockActivations(Recompute.SELECTIVE);
        return Math.max(logits, Math.max(block, scores));
    }
}
