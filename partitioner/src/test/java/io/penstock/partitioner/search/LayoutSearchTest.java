package io.penstock.partitioner.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.penstock.partitioner.PlanException;
import io.penstock.partitioner.cluster.Cluster;
import io.penstock.partitioner.cluster.Clusters;
import io.penstock.partitioner.cluster.Wire;
import io.penstock.partitioner.estimate.Estimate;
import io.penstock.partitioner.estimate.Layout;
import io.penstock.partitioner.estimate.Layout.Offload;
import io.penstock.partitioner.estimate.Layout.Recompute;
import io.penstock.partitioner.estimate.Recomputed;
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
                .flatMap(estimator -> estimator.split().map(estimator::estimate).stream())
                .map(Estimate::seconds)
                .sorted()
                .toList();
        assertEquals(all.subList(0, 5), best.stream().map(Estimate::seconds).toList());
        assertTrue(all.size() > 100, "only " + all.size() + " layouts");
    }

    @Test
    void shouldRecomputeNoMoreThanAnyUniformChoiceThatFits() {
        Cluster cluster = Clusters.a100Hdr(8);
        int compared = 0;
        for (String schedule : List.of("1f1b", "zb-h1", "interleaved-1f1b", "zb-v")) {
            int chunks = schedule.equals("1f1b") || schedule.equals("zb-h1") ? 1 : 2;
            Layout needed = new Layout(1, 8, 1, 2, 32, schedule, chunks, 0, Recompute.AS_NEEDED);
            StepEstimator asNeeded = new StepEstimator(GPT_7B, needed, cluster);
            Estimate best = asNeeded.estimate(asNeeded.split().orElseThrow());
            assertTrue(best.mostBytes() <= cluster.device().memoryBytes(), schedule);
            for (Recompute uniform : List.of(Recompute.NONE, Recompute.SELECTIVE, Recompute.FULL)) {
                Layout same = new Layout(1, 8, 1, 2, 32, schedule, chunks, 0, uniform);
                StepEstimator estimator = new StepEstimator(GPT_7B, same, cluster);
                Optional<Estimate> other = estimator.split().map(estimator::estimate);
                compared += other.isPresent() ? 1 : 0;
                other.ifPresent(o ->
                        assertTrue(best.computeSeconds() <= o.computeSeconds() * 1.0001, schedule + " " + uniform));
            }
        }
        assertTrue(compared >= 4, "only " + compared + " uniform choices fit");
    }

    @Test
    void shouldRecomputeLessOnLaterStagesWhichHoldLess() {
        Cluster cluster = Clusters.a100Hdr(8);
        Layout layout = new Layout(1, 8, 1, 4, 32, "1f1b", 1, 0, Recompute.AS_NEEDED);
        StepEstimator estimator = new StepEstimator(GPT_7B, layout, cluster);
        Estimate estimate = estimator.estimate(estimator.split().orElseThrow());
        Recomputed first = estimate.recomputed(0);
        Recomputed last = estimate.recomputed(7);
        assertTrue(first.full() + first.selective() > 0, first.toString());
        assertEquals(0, last.full(), last.toString());
        assertTrue(first.full() + first.selective() >= last.full() + last.selective(), first + " " + last);
    }

    @Test
    void shouldOffloadWhatDoesNotFitOtherwise() {
        SearchResult result = new LayoutSearch(GPT_7B, Clusters.a100Hdr(1), 32, Pinned.NOTHING).best(1);
        assertEquals(Offload.OPTIMIZER, result.best().getFirst().layout().offload());
        assertTrue(result.best().getFirst().hostBytes(0) > 12 * 7e9);
        Pinned none = Pinned.NOTHING.withOffload(Optional.of(Offload.NONE));
        SearchResult refused = new LayoutSearch(GPT_7B, Clusters.a100Hdr(1), 32, none).best(1);
        assertTrue(refused.best().isEmpty());
        assertTrue(
                refused.remedies().getFirst().startsWith("offload=optimizer instead of none"),
                refused.remedies().toString());
    }

    @Test
    void shouldHideOffloadedActivationsBehindComputationOnly() {
        Cluster cluster = Clusters.a100Hdr(8);
        Layout layout = new Layout(1, 8, 1, 2, 32, "1f1b", 1, 0, Recompute.NONE);
        StepEstimator kept = new StepEstimator(GPT_7B, layout, cluster);
        StepEstimator moved = new StepEstimator(GPT_7B, layout.with(Offload.ACTIVATIONS), cluster);
        Estimate before = kept.estimate(kept.leanest());
        Estimate after = moved.estimate(moved.leanest());
        assertTrue(after.rankBytes(0) < before.rankBytes(0));
        assertEquals(before.rankBytes(7), after.rankBytes(7), 1, "two micro-batches at most stay anyway");
        assertEquals(before.rankBytes(0), after.rankBytes(0) + after.hostBytes(0), 1);
        assertTrue(after.seconds() >= before.seconds());
    }

    @Test
    void shouldShareGradientsAndParametersWithAPipelineToo() {
        Cluster cluster = Clusters.a100Hdr(16);
        double[] bytes = new double[4];
        double[] seconds = new double[4];
        for (int zero = 0; zero < 4; zero++) {
            Layout layout = new Layout(1, 4, 4, 1, 16, "1f1b", 1, zero, Recompute.FULL);
            StepEstimator estimator = new StepEstimator(GPT_7B, layout, cluster);
            Estimate estimate = estimator.estimate(estimator.leanest());
            bytes[zero] = estimate.rankBytes(1);
            seconds[zero] = estimate.seconds();
        }
        assertTrue(bytes[0] > bytes[1] && bytes[1] > bytes[2] && bytes[2] > bytes[3]);
        assertTrue(seconds[3] >= seconds[2] && seconds[2] >= seconds[1]);
    }

    @Test
    void shouldNameTheKeyThatIsInTheWay() {
        Pinned zero = Pinned.NOTHING
                .withZeroStage(OptionalInt.of(0))
                .withAxes(OptionalInt.of(1), OptionalInt.of(1), OptionalInt.empty());
        SearchResult result =
                new LayoutSearch(GPT_7B, Clusters.a100Hdr(8), 64, zero.withOffload(Optional.of(Offload.NONE))).best(5);
        assertTrue(result.best().isEmpty());
        String all = String.join("\n", result.remedies());
        for (String remedy : List.of(
                "tensor=2 instead of 1",
                "pipeline=2 instead of 1",
                "zero_stage=1 instead of 0",
                "offload=optimizer",
                "GiB instead of")) {
            assertTrue(all.contains(remedy), remedy + " in " + all);
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
                Optional.of(Recompute.SELECTIVE),
                Optional.of(false),
                Optional.of(Offload.NONE));
        for (Estimate e : new LayoutSearch(GPT_7B, Clusters.a100Hdr(64), 256, pinned)
                .best(5)
                .best()) {
            Layout l = e.layout();
            assertEquals(
                    List.of(2, 4, 8, 1, "zb-h1", Recompute.SELECTIVE, false),
                    List.of(
                            l.tensor(),
                            l.pipeline(),
                            l.data(),
                            l.microBatch(),
                            l.schedule(),
                            l.recompute(),
                            l.sequenceParallel()));
        }
    }

    @Test
    void shouldSayWhatWouldMakeAMisfitFit() {
        SearchResult result = new LayoutSearch(LLAMA_70B, Clusters.h100Ndr(4), 512, Pinned.NOTHING).best(5);
        assertTrue(result.best().isEmpty());
        String all = String.join("\n", result.remedies());
        assertTrue(all.contains("GiB instead of 80.0 GiB"), all);
        assertTrue(all.contains("devices instead of 4"), all);
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
                                        Optional.empty(),
                                        Optional.empty(),
                                        Optional.empty()))
                        .best(1));
        assertTrue(e.getMessage().contains("global batch of 3"), e.getMessage());
        assertThrows(PlanException.class, () -> Clusters.a100Hdr(12));
        assertThrows(PlanException.class, () -> new Wire(0, 0));
    }
}
