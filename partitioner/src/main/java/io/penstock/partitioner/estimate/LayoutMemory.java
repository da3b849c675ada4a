package io.penstock.partitioner.estimate;

import io.penstock.partitioner.Plan.StageLayers;
import io.penstock.partitioner.cluster.Device;
import io.penstock.partitioner.estimate.Layout.Recompute;
import java.util.List;

/**
 * Bytes a rank would hold: 18 a parameter (16-bit value, 32-bit gradient, 12 of optimizer) sharded by ZeRO, and activations by the formulas of arXiv 2205.05198 for the
 * micro-batches that the schedule keeps in flight. For layouts beyond what the engine's own tables cover.
 */
public final class LayoutMemory {
    private final Transformer model;
    private final Layout layout;

    public LayoutMemory(Transformer model, Layout layout) {
        this.model = model;
        this.layout = layout;
    }

    /** Bytes a parameter. */
    static double bytesPerParameter(int zeroStage, int data) {
        return switch (zeroStage) {
            case 0 -> 18;
            case 1 -> 6 + 12.0 / data;
            case 2 -> 2 + 16.0 / data;
            default -> 18.0 / data;
        };
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

    /** Whether a stage that has its rank to itself fits. Layers are embedding, blocks, head. */
    boolean fits(Device device, int rank, int from, int to) {
        return stageBytes(rank, from, to) <= device.memoryBytes();
    }

    private double stageBytes(int rank, int from, int to) {
        Recompute recompute = layout.recompute();
        double bytes = parameters(from, to) * bytesPerParameter(layout.zeroStage(), layout.data())
                + chunksInFlight(layout, rank) / layout.chunks() * activations(from, to, recompute)
                + transientBytes(to);
        // What is recomputed for an input gradient stays for its weight gradient.
        return recompute == Recompute.FULL
                ? bytes + chunksStashed(layout, rank) / layout.chunks() * activations(from, to, Recompute.NONE)
                : bytes;
    }

    /** Of every rank under a split; a rank's chunks share its activations in flight evenly. */
    public double[] rankBytes(List<StageLayers> split, List<List<Integer>> stageOf) {
        double[] bytes = new double[layout.pipeline()];
        for (int rank = 0; rank < bytes.length; rank++) {
            for (int stage : stageOf.get(rank)) {
                bytes[rank] += stageBytes(
                        rank, split.get(stage).from(), split.get(stage).to());
            }
        }
        return bytes;
    }

    /** Transformer blocks among layers {@code from} to {@code to}. */
    int blocks(int from, int to) {
        return Math.max(0, Math.min(to, model.layers() + 1) - Math.max(from, 1));
    }

    double parameters(int from, int to) {
        boolean first = from == 0;
        boolean last = to == model.layers() + 2;
        double tables = first && last && model.tied() ? 1 : (first ? 1 : 0) + (last ? 1 : 0);
        return (blocks(from, to) * model.blockParameters() + tables * model.embeddingParameters()) / layout.tensor();
    }

    /** Of one micro-batch. */
    private double activations(int from, int to, Recompute recompute) {
        double rows = (double) layout.microBatch() * model.sequence();
        double sbh = rows * model.hidden();
        double scores = 5.0 * model.heads() * model.sequence() / model.hidden();
        double t = layout.tensor();
        double wide = 8 + 4.0 * (model.gated() ? 3 : 2) * model.intermediate() / model.hidden() / 2;
        double block = switch (recompute) {
            case NONE -> sbh * (10 + wide / t + scores / t);
            case SELECTIVE -> sbh * (10 + wide / t);
            case FULL -> sbh * 2;
        };
        return blocks(from, to) * block + (from == 0 ? 4 * rows : 0);
    }

    /** What one micro-batch needs while it is computed: logits in 16 and 32 bit, or one recomputed block. */
    private double transientBytes(int to) {
        double rows = (double) layout.microBatch() * model.sequence();
        boolean last = to == model.layers() + 2;
        double logits = last ? 6 * rows * model.vocabulary() / layout.tensor() : 0;
        if (layout.recompute() != Recompute.FULL) {
            return logits;
        }
        double block = rows
                * model.hidden()
                * (10 + (24 + 5.0 * model.heads() * model.sequence() / model.hidden()) / layout.tensor());
        return Math.max(logits, block / layout.chunks());
    }
}
