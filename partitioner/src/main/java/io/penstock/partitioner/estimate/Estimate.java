package io.penstock.partitioner.estimate;

import io.penstock.partitioner.Plan.StageLayers;
import io.penstock.partitioner.simulate.Timeline;
import java.util.Arrays;
import java.util.List;

/** What a layout is expected to do; times in seconds a step. */
public final class Estimate {
    private final Transformer model;
    private final Layout layout;
    private final double peakFlopsPerSecond;
    private final double endSeconds;
    private final List<StageLayers> split;
    private final double[] rankBytes;
    private final Timeline timeline;

    Estimate(
            Transformer model,
            Layout layout,
            double peakFlopsPerSecond,
            double endSeconds,
            List<StageLayers> split,
            double[] rankBytes,
            Timeline timeline) {
        this.model = model;
        this.layout = layout;
        this.peakFlopsPerSecond = peakFlopsPerSecond;
        this.endSeconds = endSeconds;
        this.split = List.copyOf(split);
        this.rankBytes = rankBytes;
        this.timeline = timeline;
    }

    public Layout layout() {
        return layout;
    }

    public List<StageLayers> split() {
        return split;
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

    public double rankBytes(int rank) {
        return rankBytes[rank];
    }

    public double mostBytes() {
        return Arrays.stream(rankBytes).max().orElse(0);
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
