package io.penstock.partitioner.estimate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.penstock.partitioner.Plan.StageLayers;
import io.penstock.partitioner.cluster.Cluster;
import io.penstock.partitioner.cluster.Clusters;
import io.penstock.partitioner.estimate.Layout.Recompute;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Exact means: no worse than everything that there is, tried one by one. */
final class RecomputeChoiceTest {
    private static final Cluster CLUSTER = Clusters.a100Hdr(8);

    @Test
    void shouldFindTheLeastSecondsOfAllChoicesThatFit() {
        Transformer model = new Transformer(30, 4096, 32, 32, 16384, false, 51200, 2048, true);
        int none = 0;
        int some = 0;
        for (String schedule : List.of("1f1b", "zb-h1", "gpipe")) {
            for (int microBatch = 1; microBatch <= 8; microBatch *= 2) {
                Layout layout = new Layout(1, 8, 1, microBatch, 16, schedule, 1, 0, Recompute.AS_NEEDED);
                LayoutMemory memory = new LayoutMemory(model, layout);
                RecomputeChoice choice = new RecomputeChoice(memory, CLUSTER, Recompute.AS_NEEDED, 1, 7.3);
                for (int rank = 0; rank < 8; rank += 3) {
                    for (int blocks = 1; blocks <= 16; blocks += 5) {
                        Share share = new Share(blocks, rank == 0, false);
                        double found =
                                choice.of(rank, share).map(choice::seconds).orElse(-1.0);
                        double best = exhaustive(memory, choice, rank, share);
                        assertEquals(best, found, layout + " rank " + rank + " " + share);
                        none += best < 0 ? 1 : 0;
                        some += best > 0 ? 1 : 0;
                    }
                }
            }
        }
        assertTrue(none > 3 && some > 10, none + " misfits, " + some + " that recompute");
    }

    private static double exhaustive(LayoutMemory memory, RecomputeChoice choice, int rank, Share share) {
        double best = -1;
        for (int full = 0; full <= share.blocks(); full++) {
            for (int selective = 0; full + selective <= share.blocks(); selective++) {
                Recomputed again = new Recomputed(full, selective);
                double seconds = choice.seconds(again);
                if (memory.fits(CLUSTER, rank, share, again) && (best < 0 || seconds < best)) {
                    best = seconds;
                }
            }
        }
        return best;
    }

    @Test
    void shouldSplitAsWellAsTheBestOfAllSplits() {
        Random random = new Random(7);
        for (int round = 0; round < 200; round++) {
            int layers = 4 + random.nextInt(6);
            int stages = 1 + random.nextInt(4);
            double[] layer = random.doubles(layers, 0.1, 2).toArray();
            double[] slower = random.doubles(stages, 1, 3).toArray();
            int[] most = random.ints(stages, 1, layers + 1).toArray();
            StageSplit.Cost cost = (stage, from, to) -> {
                double sum = 0;
                for (int i = from; i < to; i++) {
                    sum += layer[i];
                }
                return to - from > most[stage] ? Double.POSITIVE_INFINITY : sum * slower[stage];
            };
            double best = exhaustive(cost, 0, stages, 0, layers);
            Optional<List<StageLayers>> split = StageSplit.of(layers, stages, cost);
            double found = Double.POSITIVE_INFINITY;
            if (split.isPresent()) {
                found = 0;
                for (int stage = 0; stage < stages; stage++) {
                    StageLayers held = split.get().get(stage);
                    found = Math.max(found, cost.of(stage, held.from(), held.to()));
                }
            }
            assertEquals(best, found, 1e-12, "round " + round);
        }
    }

    private static double exhaustive(StageSplit.Cost cost, int stage, int stages, int from, int layers) {
        if (stage == stages) {
            return from == layers ? 0 : Double.POSITIVE_INFINITY;
        }
        double best = Double.POSITIVE_INFINITY;
        for (int to = from + 1; to <= layers; to++) {
            best = Math.min(best, Math.max(cost.of(stage, from, to), exhaustive(cost, stage + 1, stages, to, layers)));
        }
        return best;
    }
}
