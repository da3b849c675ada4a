package io.penstock.partitioner.estimate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.penstock.partitioner.Anchors;
import io.penstock.partitioner.CostModel.PhaseSeconds;
import io.penstock.partitioner.Plan.StageLayers;
import io.penstock.partitioner.cluster.Cluster;
import io.penstock.partitioner.cluster.Clusters;
import io.penstock.partitioner.estimate.Layout.Recompute;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** How well the A100 preset fits the tables it was calibrated on. This is no proof for other tables. */
class CalibrationTest {
    private static Estimate estimate(Anchors.Row row) {
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
                row.integer("dp_derived"),
                row.integer("micro_batch_sequences"),
                row.integer("microbatches_per_pipeline_derived"),
                chunks > 1 ? "interleaved-1f1b" : "1f1b",
                chunks,
                0,
                Recompute.FULL);
        StepEstimator estimator = new StepEstimator(model, layout, Clusters.a100Hdr(row.integer("gpus")));
        return estimator.estimate(megatronSplit(model.layers(), layout.stages()));
    }

    /** Megatron splits blocks evenly, embedding and head on top of the first and last stage. */
    private static List<StageLayers> megatronSplit(int blocks, int stages) {
        return IntStream.range(0, stages)
                .mapToObj(s -> new StageLayers(
                        s == 0 ? 0 : 1 + s * blocks / stages,
                        s == stages - 1 ? blocks + 2 : 1 + (s + 1) * blocks / stages))
                .toList();
    }

    @Test
    void shouldFitTheWeakScalingTable() {
        double sum = 0;
        double most = 0;
        StringBuilder report = new StringBuilder();
        List<Anchors.Row> rows = Anchors.read("megatron_sc21_table1_weak_scaling.csv");
        for (Anchors.Row row : rows) {
            double error = estimate(row).seconds() / row.number("derived_iteration_time_s") - 1;
            report.append(String.format("%s %.2f%%%n", row.text("model"), 100 * error));
            sum += Math.abs(error);
            most = Math.max(most, Math.abs(error));
        }
        double mean = sum / rows.size();
        report.append(String.format("mean %.2f%% maximum %.2f%%", 100 * mean, 100 * most));
        assertTrue(mean < 0.028 && most < 0.05, report.toString());
    }

    @Test
    void shouldFitTheLayerTimesOf22B() {
        Transformer model = new Transformer(48, 6144, 64, 64, 4 * 6144, false, 51200, 2048, true);
        Cluster cluster = Clusters.a100Hdr(8);
        PhaseSeconds tensor = new LayerTimes(model, cluster, 8, 4, false).block(Recompute.NONE);
        assertEquals(7.7, 1e3 * tensor.forward(), 0.04 * 7.7);
        assertEquals(11.9, 1e3 * (tensor.backwardInput() + tensor.backwardWeight()), 0.04 * 11.9);
        PhaseSeconds sequence = new LayerTimes(model, cluster, 8, 4, true).block(Recompute.NONE);
        assertEquals(7.2, 1e3 * sequence.forward(), 0.04 * 7.2);
        assertEquals(11.8, 1e3 * (sequence.backwardInput() + sequence.backwardWeight()), 0.04 * 11.8);
        PhaseSeconds full = new LayerTimes(model, cluster, 8, 4, false).block(Recompute.FULL);
        assertEquals(19.5, 1e3 * (full.backwardInput() + full.backwardWeight()), 0.04 * 19.5);
    }
}
