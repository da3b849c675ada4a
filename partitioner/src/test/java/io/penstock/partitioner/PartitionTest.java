package io.penstock.partitioner;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.penstock.partitioner.Plan.StageLayers;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class PartitionTest {
    private static double bruteForce(double[] costs, int from, int stages, Partition.Fits fits, int stage) {
        if (stages == 1) {
            return fits.test(stage, from, costs.length)
                    ? Partition.slowestStage(costs, List.of(new StageLayers(from, costs.length)))
                    : Double.POSITIVE_INFINITY;
        }
        double best = Double.POSITIVE_INFINITY;
        for (int to = from + 1; to <= costs.length - stages + 1; to++) {
            if (fits.test(stage, from, to)) {
                double own = Partition.slowestStage(costs, List.of(new StageLayers(from, to)));
                best = Math.min(best, Math.max(own, bruteForce(costs, to, stages - 1, fits, stage + 1)));
            }
        }
        return best;
    }

    private static void assertContiguous(List<StageLayers> split, int layers, int stages) {
        assertEquals(stages, split.size());
        int at = 0;
        for (StageLayers stage : split) {
            assertEquals(at, stage.from());
            assertTrue(stage.count() >= 1);
            at = stage.to();
        }
        assertEquals(layers, at);
    }

    @Test
    void shouldReachTheMinimumOfAllSplits() {
        for (long seed = 0; seed < 400; seed++) {
            Random random = new Random(seed);
            int layers = 1 + random.nextInt(11);
            int stages = 1 + random.nextInt(layers);
            boolean coarse = random.nextBoolean();
            double[] costs = random.doubles(layers)
                    .map(c -> coarse ? Math.floor(c * 4) : c)
                    .toArray();
            List<StageLayers> split = Partition.minimizeSlowestStage(costs, stages);
            assertContiguous(split, layers, stages);
            assertEquals(
                    bruteForce(costs, 0, stages, (s, f, t) -> true, 0),
                    Partition.slowestStage(costs, split),
                    "seed " + seed + " costs " + Arrays.toString(costs) + " stages " + stages);
        }
    }

    @Test
    void shouldReachTheMinimumOfTheSplitsThatFit() {
        int refused = 0;
        for (long seed = 0; seed < 400; seed++) {
            Random random = new Random(seed);
            int layers = 1 + random.nextInt(9);
            int stages = 1 + random.nextInt(layers);
            double[] costs = random.doubles(layers).toArray();
            int[] most = random.ints(stages, 1, 5).toArray();
            Partition.Fits fits = (stage, from, to) -> to - from <= most[stage];
            double expected = bruteForce(costs, 0, stages, fits, 0);
            if (Double.isInfinite(expected)) {
                refused++;
                assertThrows(PlanException.class, () -> Partition.minimizeSlowestStage(costs, stages, fits));
                continue;
            }
            List<StageLayers> split = Partition.minimizeSlowestStage(costs, stages, fits);
            assertContiguous(split, layers, stages);
            assertEquals(expected, Partition.slowestStage(costs, split), "seed " + seed);
            for (int stage = 0; stage < stages; stage++) {
                assertTrue(split.get(stage).count() <= most[stage], "seed " + seed);
            }
        }
        assertTrue(refused > 20, "only " + refused + " cases did not fit");
    }

    @Test
    void shouldBeatUniformAndGreedy() {
        double[] gpt2 = {0.1, 1, 1, 1, 1, 1, 1, 3.2};
        assertEquals(
                List.of(new StageLayers(0, 4), new StageLayers(4, 7), new StageLayers(7, 8)),
                Partition.minimizeSlowestStage(gpt2, 3));
    }

    @Test
    void shouldSpreadEvenlyWhereTheSlowestStageLeavesRoom() {
        // The last layer alone decides: the other six could lie 4 + 1 + 1, but lie 2 + 2 + 2.
        double[] costs = {1, 1, 1, 1, 1, 1, 9};
        assertEquals(
                List.of(new StageLayers(0, 2), new StageLayers(2, 4), new StageLayers(4, 6), new StageLayers(6, 7)),
                Partition.minimizeSlowestStage(costs, 4));
    }

    @Test
    void shouldRefuseMoreStagesThanLayersWithTheNumbers() {
        PlanException e =
                assertThrows(PlanException.class, () -> Partition.minimizeSlowestStage(new double[] {1, 1, 1}, 4));
        assertTrue(e.getMessage().contains("4 stages for 3 layers"), e.getMessage());
        assertThrows(PlanException.class, () -> Partition.minimizeSlowestStage(new double[] {1}, 0));
        assertThrows(PlanException.class, () -> Partition.minimizeSlowestStage(new double[] {Double.NaN}, 1));
        assertThrows(PlanException.class, () -> Partition.minimizeSlowestStage(new double[] {-1}, 1));
    }
}
