package io.penstock.partitioner.estimate;

import io.penstock.partitioner.Anchors;
import io.penstock.partitioner.Plan.StageLayers;
import io.penstock.partitioner.cluster.Clusters;
import io.penstock.partitioner.cluster.Software;
import io.penstock.partitioner.estimate.Layout.Offload;
import io.penstock.partitioner.estimate.Layout.Recompute;
import java.util.List;
import java.util.stream.IntStream;

/** Published runs of Megatron-LM on A100-80GB, as layouts. */
final class MegatronRuns {
    private MegatronRuns() {}

    /** {@code micro}: micro-batches a step and pipeline. */
    static Estimate estimate(
            Anchors.Row row, int data, int micro, Recompute recompute, boolean sequenceParallel, Software software) {
        Transformer model = new Transformer(
                row.integer("layers"),
                row.integer("hidden_size"),
                row.integer("attention_heads"),
                row.integer("attention_heads"),
                4 * row.integer("hidden_size"),
                false,
                row.integer("vocab"),
                row.integer("seq_len"),
                true);
        int chunks = row.integer("interleave_chunks_per_gpu");
        Layout layout = new Layout(
                row.integer("tp"),
                row.integer("pp"),
                data,
                row.integer("micro_batch_sequences"),
                micro,
                chunks > 1 ? "interleaved-1f1b" : "1f1b",
                chunks,
                0,
                recompute,
                sequenceParallel,
                Offload.NONE);
        StepEstimator estimator = new StepEstimator(
                model, layout, Clusters.a100Hdr(row.integer("gpus")).withSoftware(software));
        return estimator.estimate(estimator.uniform(megatronSplit(model.layers(), layout.stages())));
    }

    /** Megatron splits blocks evenly, embedding and head on top of the first and last stage. */
    private static List<StageLayers> megatronSplit(int blocks, int stages) {
        return IntStream.range(0, stages)
                .mapToObj(s -> new StageLayers(
                        s == 0 ? 0 : 1 + s * blocks / stages,
                        s == stages - 1 ? blocks + 2 : 1 + (s + 1) * blocks / stages))
                .toList();
    }
}
