package io.penstock.partitioner.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.penstock.partitioner.PlanException;
import io.penstock.partitioner.cluster.Cluster;
import io.penstock.partitioner.cluster.Clusters;
import io.penstock.partitioner.estimate.Estimate;
import io.penstock.partitioner.estimate.Layout;
import io.penstock.partitioner.estimate.Layout.Recompute;
import io.penstock.partitioner.estimate.StepEstimator;
import io.penstock.partitioner.estimate.Transformer;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

class LayoutSearchTest {
    private static final double GIB = 1L << 30;
    private static final Transformer GPT_7B = new Transformer(36, 4096, 32, 32, 16384, false, 51200, 2048, true);
    private static final Transformer LLAMA_70B = new Transformer(80, 8192, 64, 8, 28672, true, 128256, 8192, false);
    private static final Transformer GPT_1T = new Transformer(128, 25600, 160, 160, 102400, false, 51200, 2048, true);

    @Test
    void shouldCountTheParametersOfKnownModels() {
        assertEquals(70.55e9, LLAMA_70B.parameters(), 0.01e9);
        assertEquals(1.008e12, GPT_1T.parameters(), 0.001e12);
    }

    @Test
    void shouldFindWhatSimulatingEverythingFinds() {
        Cluster cluster = Clusters.a100Hdr(8);
        Transformer small = new Transformer(6, 2048, 16, 16, 8192, false, 51200, 1024, true);
        List<Estimate> best =
                new LayoutSearch(small, cluster, 32, Pinned.NOTHING).best(5).best();
        List<Double> all = Layouts.of(small, cluster, 32, Pinned.NOTHING).stream()
                .map(layout -> new StepEstimator(small, layout, cluster))
                .map(estimator -> fitting(estimator, cluster))
                .flatMap(Optional::stream)
                .map(Estimate::seconds)
                .sorted()
                .toList();
        assertEquals(all.subList(0, 5), best.stream().map(Estimate::seconds).toList());
        assertTrue(all.size() > 100, "only " + all.size() + " layouts");
    }

    private static Optional<Estimate> fitting(StepEstimator estimator, Cluster cluster) {
        try {
            Estimate estimate = estimator.estimate(estimator.split(true));
            return estimate.mostBytes() <= cluster.device().memoryBytes() ? Optional.of(estimate) : Optional.empty();
        } catch (PlanException e) {
            return Optional.empty();
        }
    }

    @Test
    void shouldFitInMemoryAndBeSorted() {
        SearchResult result = new LayoutSearch(LLAMA_70B, Clusters.h100Ndr(64), 512, Pinned.NOTHING).best(5);
        assertEquals(5, result.best().size());
        for (Estimate e : result.best()) {
            assertTrue(e.mostBytes() <= 80 * GIB, e.layout() + " " + e.mostBytes() / GIB);
            assertEquals(64, e.layout().devices());
            assertTrue(
                    e.modelFlopsUtilization() > 0.1 && e.modelFlopsUtilization() < 0.766,
                    e.layout().toString());
            assertEquals(e.seconds(), e.computeSeconds() + e.pipelineSeconds() + e.endSeconds(), 1e-9);
            assertEquals(512 * 8192.0, e.tokens());
        }
        assertTrue(result.best().stream()
                .sorted(Comparator.comparingDouble(Estimate::seconds))
                .toList()
                .equals(result.best()));
    }

    @Test
    void shouldPlanATrillionParametersInSeconds() {
        long start = System.nanoTime();
        SearchResult result = new LayoutSearch(GPT_1T, Clusters.h100Ndr(4096), 3072, Pinned.NOTHING).best(5);
        double seconds = (System.nanoTime() - start) * 1e-9;
        assertEquals(5, result.best().size());
        assertTrue(
                seconds < 10,
                seconds + " s for " + result.layouts() + " layouts, " + result.simulated() + " simulated");
    }

    @Test
    void shouldRespectPinnedKeys() {
        Pinned pinned = new Pinned(
                OptionalInt.of(2),
                OptionalInt.of(4),
                OptionalInt.empty(),
                OptionalInt.of(1),
                Optional.of("zb-h1"),
                OptionalInt.empty(),
                OptionalInt.empty(),
                Optional.of(Recompute.SELECTIVE));
        for (Estimate e : new LayoutSearch(GPT_7B, Clusters.a100Hdr(64), 256, pinned)
                .best(5)
                .best()) {
            Layout l = e.layout();
            assertEquals(
                    List.of(2, 4, 8, 1, "zb-h1", Recompute.SELECTIVE),
                    List.of(l.tensor(), l.pipeline(), l.data(), l.microBatch(), l.schedule(), l.recompute()));
        }
    }

    @Test
    void shouldSayWhatWouldMakeAMisfitFit() {
        SearchResult result = new LayoutSearch(LLAMA_70B, Clusters.h100Ndr(8), 512, Pinned.NOTHING).best(5);
        assertTrue(result.best().isEmpty());
        assertEquals(2, result.remedies().size(), result.remedies().toString());
        assertTrue(
                result.remedies().get(0).contains("GiB instead of 80.0 GiB"),
                result.remedies().toString());
        assertTrue(
                result.remedies().get(1).matches("(16|32) devices instead of 8.*"),
                result.remedies().toString());
    }

    @Test
    void shouldRefuseWhatDividesNowhere() {
        PlanException e = assertThrows(
                PlanException.class,
                () -> new LayoutSearch(
                                GPT_7B,
                                Clusters.a100Hdr(64),
                                3,
                                new Pinned(
                                        OptionalInt.of(1),
                                        OptionalInt.of(1),
                                        OptionalInt.empty(),
                                        OptionalInt.empty(),
                                        Optional.empty(),
                                        OptionalInt.empty(),
                                        OptionalInt.empty(),
                                        Optional.empty()))
                        .best(1));
        assertTrue(e.getMessage().contains("global batch of 3"), e.getMessage());
        assertThrows(PlanException.class, () -> Clusters.a100Hdr(12));
        assertThrows(PlanException.class, () -> Clusters.cpu(2, 1e12, 1e10, 1e9, 0));
    }
}
