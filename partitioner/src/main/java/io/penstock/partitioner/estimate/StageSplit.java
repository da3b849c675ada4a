package io.penstock.partitioner.estimate;

import io.penstock.partitioner.Plan.StageLayers;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Which consecutive layers make a stage where the stages differ, for each has its own memory and so its own recomputation. Exact dynamic programming over (stages, layers): the
 * slowest stage is as fast as in any split; among those splits the sum of squared stage times is least, which keeps the others even.
 */
final class StageSplit {
    private static final double NONE = Double.POSITIVE_INFINITY;

    /** Seconds of a stage with layers {@code from} to {@code to}; infinite if it does not fit; never less with more layers. */
    @FunctionalInterface
    interface Cost {
        double of(int stage, int from, int to);
    }

    private StageSplit() {}

    /** Empty if no split fits. */
    static Optional<List<StageLayers>> of(int layers, int stages, Cost cost) {
        int[][] boundary = new int[stages + 1][layers + 1];
        double slowest = solve(layers, stages, cost, NONE, boundary);
        if (slowest == NONE) {
            return Optional.empty();
        }
        solve(layers, stages, cost, slowest, boundary);
        StageLayers[] split = new StageLayers[stages];
        int to = layers;
        for (int stage = stages - 1; stage >= 0; stage--) {
            split[stage] = new StageLayers(boundary[stage + 1][to], to);
            to = split[stage].from();
        }
        return Optional.of(Arrays.asList(split));
    }

    private static double solve(int layers, int stages, Cost cost, double limit, int[][] boundary) {
        boolean bySlowest = limit == NONE;
        double[] before = new double[layers + 1];
        double[] now = new double[layers + 1];
        Arrays.fill(before, NONE);
        before[0] = 0;
        for (int stage = 0; stage < stages; stage++) {
            Arrays.fill(now, NONE);
            for (int to = stage + 1; to <= layers - (stages - 1 - stage); to++) {
                for (int from = to - 1; from >= stage; from--) {
                    double seconds = cost.of(stage, from, to);
                    double own = bySlowest ? seconds : seconds * seconds;
                    if (seconds == NONE || seconds > limit || own > now[to]) {
                        break; // a longer stage only costs more
                    }
                    double total = bySlowest ? Math.max(own, before[from]) : own + before[from];
                    if (total < now[to]) {
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
}
