package io.penstock.partitioner.estimate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.penstock.partitioner.Anchors;
import io.penstock.partitioner.CostModel.PhaseSeconds;
import io.penstock.partitioner.cluster.Cluster;
import io.penstock.partitioner.cluster.Clusters;
import io.penstock.partitioner.cluster.Software;
import io.penstock.partitioner.estimate.Layout.Recompute;
import java.util.List;
import org.junit.jupiter.api.Test;

/** How well the A100 preset fits the tables it was calibrated on. This is no proof for other tables. */
class CalibrationTest {
    private static Estimate estimate(Anchors.Row row) {
        return MegatronRuns.estimate(
                row,
                row.integer("dp_derived"),
                row.integer("microbatches_per_pipeline_derived"),
                Recompute.FULL,
                false,
                Software.MEGATRON_2021);
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
        assertTrue(mean < 0.014 && most < 0.034, report.toString());
    }

    @Test
    void shouldFitTheLayerTimesOf22B() {
        Transformer model = new Transformer(48, 6144, 64, 64, 4 * 6144, false, 51200, 2048, true);
        Cluster cluster = Clusters.a100Hdr(8);
        PhaseSeconds tensor = new LayerTimes(model, cluster, 8, 4, false, false).block(Recompute.NONE);
        assertEquals(7.7, 1e3 * tensor.forward(), 0.03 * 7.7);
        assertEquals(11.9, 1e3 * (tensor.backwardInput() + tensor.backwardWeight()), 0.02 * 11.9);
        PhaseSeconds sequence = new LayerTimes(model, cluster, 8, 4, true, false).block(Recompute.NONE);
        assertEquals(7.2, 1e3 * sequence.forward(), 0.03 * 7.2);
        assertEquals(11.8, 1e3 * (sequence.backwardInput() + sequence.backwardWeight()), 0.01 * 11.8);
        PhaseSeconds full = new LayerTimes(model, cluster, 8, 4, false, false).block(Recompute.FULL);
        PhaseSeconds selective = new LayerTimes(model, cluster, 8, 4, false, false).block(Recompute.SELECTIVE);
        assertEquals(13.2, 1e3 * (selective.backwardInput() + selective.backwardWeight()), 0.02 * 13.2);
        PhaseSeconds both = new LayerTimes(model, cluster, 8, 4, true, false).block(Recompute.SELECTIVE);
        assertEquals(13.1, 1e3 * (both.backwardInput() + both.backwardWeight()), 0.01 * 13.1);
        assertEquals(19.5, 1e3 * (full.backwardInput() + full.backwardWeight()), 0.01 * 19.5);
    }
}
