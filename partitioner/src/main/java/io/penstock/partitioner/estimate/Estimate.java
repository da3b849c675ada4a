package io.penstock.partitioner.estimate;

import io.penstock.partitioner.Plan.StageLayers;
import io.penstock.partitioner.estimate.StepEstimator.Fitting;
import io.penstock.partitioner.estimate.StepEstimator.Holdings;
import io.penstock.partitioner.simulate.MemoryCurve;
import io.penstock.partitioner.simulate.Timeline;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** What a layout is expected to do; times in seconds a step. */
public final class Estimate {
    private final Transformer model;
    private final Layout layout;
    private final double peakFlopsPerSecond;
    private final double endSeconds;
    private final Fitting fitting;
    private final Holdings[] held;
    private final Timeline timeline;

    Estimate(
            Transformer model,
            Layout layout,
            double peakFlopsPerSecond,
            double endSeconds,
            Fitting fitting,
            Holdings[] held,
            Timeline timeline) {
        this.model = model;
        this.layout = layout;
        this.peakFlopsPerSecond = peakFlopsPerSecond;
        this.endSeconds = endSeconds;
        this.fitting = fitting;
        this.held = held;
        this.timeline = timeline;
    }

    public Layout layout() {
        return layout;
    }

    public List<StageLayers> split() {
        return fitting.split();
    }

    public Fitting fitting() {
        return fitting;
    }

    /** Blocks that a rank computes again. */
    public Recomputed recomputed(int rank) {
        return fitting.recomputed().get(rank);
    }

    public Timeline timeline() {
        return timeline;
    }

    public double seconds() {
        return timeline.seconds();
    }

    /** Of the busiest rank, tensor-parallel reductions and recomputation included. */
    public double computeSeconds() {
        double busiest = 0;
        for (int rank = 0; rank < layout.pipeline(); rank++) {
            busiest = Math.max(busiest, timeline.computeSeconds(rank));
        }
        return busiest;
    }

    /** After the pipeline: data-parallel reductions and the optimizer. */
    public double endSeconds() {
        return endSeconds;
    }

    /** What the busiest rank waits or sends: bubble and pipeline messages. */
    public double pipelineSeconds() {
        return Math.max(0, seconds() - computeSeconds() - endSeconds);
    }

    /** On the device, at the peak. */
    public double rankBytes(int rank) {
        return held[rank].bytes();
    }

    /** Offloaded to the host, at the peak. */
    public double hostBytes(int rank) {
        return held[rank].hostBytes();
    }

    public double mostBytes() {
        return Arrays.stream(held).mapToDouble(Holdings::bytes).max().orElse(0);
    }

    /** What every rank holds on its device over the step. */
    public List<List<MemoryCurve.Point>> memory() {
        MemoryCurve.Holdings micro = new MemoryCurve.Holdings() {
            @Override
            public double activationBytes(int rank, int chunk) {
                return held[rank].activationBytes();
            }

            @Override
            public double stashBytes(int rank, int chunk) {
                return held[rank].stashBytes();
            }
        };
        return IntStream.range(0, held.length)
                .mapToObj(rank -> MemoryCurve.of(timeline, rank, held[rank].fixedBytes(), micro))
                .toList();
    }

    public double tokens() {
        return (double) layout.data() * layout.microBatches() * layout.microBatch() * model.sequence();
    }

    public double tokensPerSecond() {
        return tokens() / seconds();
    }

    /** Model FLOPs utilization, 0 to 1: without recomputation, against the printed peak. */
    public double modelFlopsUtilization() {
        return model.modelFlopsPerToken() * tokensPerSecond() / (layout.devices() * peakFlopsPerSecond);
    }

    /** Days for a budget of tokens. */
    public double days(double tokenBudget) {
        return tokenBudget / tokensPerSecond() / 86_400;
    }

    /** The greatest share of the step that is not computing. */
    public String limitedBy() {
        if (pipelineSeconds() + endSeconds < 0.1 * seconds()) {
            return "compute";
        }
        return pipelineSeconds() > endSeconds
                ? "pipeline bubble and messages"
                : "data-parallel reduction and optimizer";
    }
}
