package io.penstock.partitioner;

import io.penstock.partitioner.Plan.StageLayers;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Which contiguous layers make a stage. Exact: the cost of the slowest stage is the least that any split reaches. Of the splits that reach it the one with the least sum of
 * squared stage costs is taken, and of those the one whose last boundaries come last, so that the same costs always give the same split.
 */
public final class Partition {
    private static final double NONE = Double.POSITIVE_INFINITY;

    private Partition() {}

    /** Whether layers {@code from} (inclusive) to {@code to} (exclusive) fit on {@code stage}, by memory for instance. */
    @FunctionalInterface
    public interface Fits {
        boolean test(int stage, int from, int to);
    }

    /** {@link #minimizeSlowestStage(double[], int, Fits)} where every split fits. */
    public static List<StageLayers> minimizeSlowestStage(double[] layerCosts, int stages) {
        return minimizeSlowestStage(layerCosts, stages, (stage, from, to) -> true);
    }

    /**
     * The split of {@code layerCosts} (seconds, or any unit; not negative) in {@code stages} non-empty stages whose slowest is fastest.
     *
     * @throws PlanException if there are more stages than layers, a cost is negative or not a number, or no split fits
     */
    public static List<StageLayers> minimizeSlowestStage(double[] layerCosts, int stages, Fits fits) {
        check(layerCosts, stages);
        int[][] boundary = new int[stages + 1][layerCosts.length + 1];
        double slowest = solve(layerCosts, stages, fits, NONE, boundary);
        if (slowest == NONE) {
            throw new PlanException("no split of " + layerCosts.length + " layers in " + stages
                    + " stages fits: use more stages, recomputation or a smaller micro-batch");
        }
        solve(layerCosts, stages, fits, slowest, boundary);
        StageLayers[] split = new StageLayers[stages];
        int to = layerCosts.length;
        for (int stage = stages - 1; stage >= 0; stage--) {
            int from = boundary[stage + 1][to];
            split[stage] = new StageLayers(from, to);
            to = from;
        }
        return new ArrayList<>(Arrays.asList(split));
    }

    /** The slowest stage's cost under a split. */
    public static double slowestStage(double[] layerCosts, List<StageLayers> split) {
        double slowest = 0;
        for (StageLayers stage : split) {
            double cost = 0;
            for (int layer = stage.to() - 1; layer >= stage.from(); layer--) {
                cost += layerCosts[layer];
            }
            slowest = Math.max(slowest, cost);
        }
        return slowest;
    }

    /**
     * Dynamic programming over (stages, layers). With {@code limit} NONE it minimizes the slowest stage, else the sum of squares of stages not slower than the limit. A
     * stage's cost is always added from its last layer backwards: the same layers give the same bits, so ties are ties.
     */
    private static double solve(double[] costs, int stages, Fits fits, double limit, int[][] boundary) {
        boolean bySlowest = limit == NONE;
        int layers = costs.length;
        double[] before = new double[layers + 1];
        double[] now = new double[layers + 1];
        Arrays.fill(before, NONE);
        before[0] = 0;
        for (int stage = 0; stage < stages; stage++) {
            Arrays.fill(now, NONE);
            for (int to = stage + 1; to <= layers - (stages - 1 - stage); to++) {
                double cost = 0;
                for (int from = to - 1; from >= stage; from--) {
                    cost += costs[from];
                    double own = bySlowest ? cost : cost * cost;
                    if (cost > limit || own > now[to]) {
                        break; // a longer stage only costs more
                    }
                    double total = bySlowest ? Math.max(own, before[from]) : own + before[from];
                    if (total < now[to] && fits.test(stage, from, to)) {
                        now[to] = total;
                        boundary[stage + 1][to] = from;
                    }
                }
            }
            double[] spare = before;
            before = now;
            now = spare;
        }
        return before[layers];
    }

    private static void check(double[] costs, int stages) {
        if (stages < 1) {
            throw new PlanException("pipeline=" + stages + " stages: at least 1 is needed");
        }
        if (stages > costs.length) {
            throw new PlanException("pipeline=" + stages + " stages for " + costs.length
                    + " layers (embedding, blocks, head): a stage holds at least one layer, use at most " + costs.length
                    + " stages");
        }
        for (int layer = 0; layer < costs.length; layer++) {
            if (!(costs[layer] >= 0) || Double.isInfinite(costs[layer])) {
                throw new PlanException("layer " + layer + " costs " + costs[layer] + " seconds");
            }
        }
    }
}
