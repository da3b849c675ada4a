package io.penstock.engine.planning;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.penstock.engine.config.PlannedOffload;
import io.penstock.partitioner.cluster.Cluster;
import io.penstock.partitioner.estimate.Estimate;
import io.penstock.partitioner.estimate.Layout;
import io.penstock.partitioner.estimate.StepEstimator;
import io.penstock.partitioner.estimate.Transformer;
import io.penstock.partitioner.render.Bytes;
import io.penstock.partitioner.render.TimelinePage;
import io.penstock.partitioner.search.SearchResult;
import io.penstock.partitioner.simulate.TimeSplit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Layouts on a described cluster to look at, fastest first. */
public final class ClusterReport {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int MOST_RANKS = 16;
    private static final int BAR = 40;

    private final Transformer model;
    private final Cluster cluster;
    private final SearchResult result;
    private final Budget budget;
    private final Estimate chosen;
    private final StepEstimator estimator;
    private final LayoutWords words;

    ClusterReport(Transformer model, Cluster cluster, SearchResult result, Budget budget) {
        this.model = model;
        this.cluster = cluster;
        this.result = result;
        this.budget = budget;
        this.chosen = result.best().getFirst();
        this.estimator = new StepEstimator(model, chosen.layout(), cluster);
        this.words = new LayoutWords(chosen, model.layers());
    }

    public String text() {
        TimeSplit split = estimator.timeSplit(chosen);
        StringBuilder text = new StringBuilder();
        text.append(PlanWords.format(
                "%.1f B parameters on %,d x %s (%s), %s%n",
                model.parameters() / 1e9,
                cluster.devices(),
                cluster.device().name(),
                cluster.name(),
                LayoutWords.layout(chosen.layout())));
        text.append(stages());
        text.append(PlanWords.format(
                "step %s for %s tokens, %,.0f tokens/s, MFU %.1f%%%n",
                PlanWords.seconds(chosen.seconds()),
                PlanWords.tokens(chosen.tokens()),
                chosen.tokensPerSecond(),
                100 * chosen.modelFlopsUtilization()));
        text.append(PlanWords.split(split)).append('\n');
        text.append(PlanWords.format(
                "of compute, reductions inside tensor-parallel groups are %.1f%% of the step%n",
                100 * estimator.tensorParallelSeconds(chosen) / chosen.seconds()));
        text.append(PlanWords.budget(budget, chosen.tokensPerSecond(), cluster.devices()))
                .append('\n');
        text.append(
                PlanWords.format("the best of %,d layouts (%,d simulated):%n", result.layouts(), result.simulated()));
        for (List<String> row : rows()) {
            text.append(PlanWords.format(
                    "  %-78s %9s %12s %6s %10s  %s%n",
                    row.get(0), row.get(1), row.get(2), row.get(3), row.get(4), row.get(5)));
        }
        return text.append(
                        "times by the model of docs/plan-model.md; the presets of H100 and H200 are scaled from A100,"
                                + " not measured\n")
                .toString();
    }

    /** One line a pipeline rank: its layers and its memory; the middle of a long pipeline is left out. */
    private String stages() {
        StringBuilder text = new StringBuilder();
        int ranks = chosen.layout().pipeline();
        for (int rank = 0; rank < ranks; rank++) {
            if (ranks > MOST_RANKS && rank == MOST_RANKS / 2) {
                text.append(PlanWords.format("          ... %d more%n", ranks - MOST_RANKS));
                rank = ranks - MOST_RANKS / 2;
            }
            double share = chosen.rankBytes(rank) / cluster.device().memoryBytes();
            long filled = Math.min(BAR, Math.round(BAR * share));
            text.append(PlanWords.format(
                    "pipeline %3d  %-44s %-12s [%s%s] %s of %s (%.0f%%)%s%n",
                    rank,
                    words.layers(rank),
                    words.recomputed(rank),
                    "#".repeat((int) filled),
                    ".".repeat((int) (BAR - filled)),
                    Bytes.text(chosen.rankBytes(rank)),
                    Bytes.text(cluster.device().memoryBytes()),
                    100 * share,
                    chosen.hostBytes(rank) > 0 ? ", host " + Bytes.text(chosen.hostBytes(rank)) : ""));
        }
        Layout l = chosen.layout();
        return text.append(PlanWords.format(
                        "each is %d x %d devices (tensor x data); beside its layers: blocks computed again in"
                                + " backward%n",
                        l.tensor(), l.data()))
                .toString();
    }

    private List<List<String>> rows() {
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("layout", "step", "tokens/s", "MFU", "memory", "limited by"));
        for (Estimate e : result.best()) {
            Layout l = e.layout();
            rows.add(List.of(
                    PlanWords.format(
                            "tp%d pp%d dp%d mb%d %s%s zero%d recompute %s%s",
                            l.tensor(),
                            l.pipeline(),
                            l.data(),
                            l.microBatch(),
                            l.schedule(),
                            l.chunks() > 1 ? " x" + l.chunks() : "",
                            l.zeroStage(),
                            LayoutWords.recomputedBlocks(e),
                            l.offload() == Layout.Offload.NONE ? "" : " offload " + PlannedOffload.of(l.offload())),
                    PlanWords.seconds(e.seconds()),
                    PlanWords.format("%,.0f", e.tokensPerSecond()),
                    PlanWords.format("%.1f%%", 100 * e.modelFlopsUtilization()),
                    Bytes.text(e.mostBytes()),
                    e.limitedBy()));
        }
        return rows;
    }

    public String html() {
        return TimelinePage.html(
                PlanWords.format(
                        "%.1f B parameters on %d x %s",
                        model.parameters() / 1e9,
                        cluster.devices(),
                        cluster.device().name()),
                Map.of("predicted", chosen.timeline()),
                chosen.memory(),
                cluster.device().memoryBytes(),
                List.of(
                        new TimelinePage.Table("Step", step()),
                        new TimelinePage.Table("Ranks", ranks()),
                        new TimelinePage.Table("Alternatives", rows())));
    }

    private List<List<String>> step() {
        TimeSplit split = estimator.timeSplit(chosen);
        return List.of(
                List.of(
                        "step",
                        "tokens/s",
                        "MFU",
                        "compute",
                        "of it tensor-parallel reductions",
                        "bubble",
                        "messages",
                        "end of step",
                        "budget"),
                List.of(
                        PlanWords.seconds(chosen.seconds()),
                        PlanWords.format("%,.0f", chosen.tokensPerSecond()),
                        PlanWords.format("%.1f%%", 100 * chosen.modelFlopsUtilization()),
                        PlanWords.seconds(split.compute()),
                        PlanWords.seconds(estimator.tensorParallelSeconds(chosen)),
                        PlanWords.seconds(split.bubble()),
                        PlanWords.seconds(split.messages()),
                        PlanWords.seconds(split.end()),
                        PlanWords.budget(budget, chosen.tokensPerSecond(), cluster.devices())));
    }

    private List<List<String>> ranks() {
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("rank", "layers", "computed again", "device memory", "host memory"));
        for (int rank = 0; rank < chosen.layout().pipeline(); rank++) {
            rows.add(List.of(
                    Integer.toString(rank),
                    words.layers(rank),
                    words.recomputed(rank),
                    Bytes.text(chosen.rankBytes(rank)),
                    chosen.hostBytes(rank) > 0 ? Bytes.text(chosen.hostBytes(rank)) : ""));
        }
        return rows;
    }

    public ObjectNode json() {
        ObjectNode root = JSON.createObjectNode();
        root.put("parameters", model.parameters());
        root.put("cluster", cluster.name()).put("devices", cluster.devices());
        root.put("layouts", result.layouts()).put("simulated", result.simulated());
        root.putObject("budget")
                .put("tokens", budget.tokens())
                .put("days", budget.hours(chosen.tokensPerSecond()) / 24)
                .put("cost", budget.cost(chosen.tokensPerSecond(), cluster.devices()));
        ArrayNode best = root.putArray("best");
        result.best().forEach(estimate -> describe(best.addObject(), estimate));
        return root;
    }

    private void describe(ObjectNode node, Estimate e) {
        Layout l = e.layout();
        node.put("tensor", l.tensor())
                .put("pipeline", l.pipeline())
                .put("data", l.data())
                .put("micro_batch_size", l.microBatch())
                .put("micro_batches", l.microBatches())
                .put("schedule", l.schedule())
                .put("chunks", l.chunks())
                .put("zero_stage", l.zeroStage())
                .put("activation_checkpointing", LayoutWords.recompute(l).replace("as needed", "auto"))
                .put("sequence_parallel", l.sequenceParallel())
                .put("offload", PlannedOffload.of(l.offload()).toString())
                .put("step_seconds", e.seconds())
                .put("tokens_per_second", e.tokensPerSecond())
                .put("mfu", e.modelFlopsUtilization())
                .put("limited_by", e.limitedBy());
        TimeSplit split = new StepEstimator(model, l, cluster).timeSplit(e);
        node.putObject("split_seconds")
                .put("compute", split.compute())
                .put("bubble", split.bubble())
                .put("messages", split.messages())
                .put("end", split.end());
        ArrayNode stages = node.putArray("stages");
        e.split().forEach(stage -> stages.addArray().add(stage.from()).add(stage.to()));
        ArrayNode memory = node.putArray("memory_bytes");
        ArrayNode host = node.putArray("host_memory_bytes");
        ArrayNode recomputed = node.putArray("recomputed_blocks");
        for (int rank = 0; rank < l.pipeline(); rank++) {
            memory.add(e.rankBytes(rank));
            host.add(e.hostBytes(rank));
            recomputed
                    .addObject()
                    .put("full", e.recomputed(rank).full())
                    .put("selective", e.recomputed(rank).selective());
        }
    }
}
