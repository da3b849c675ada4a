package io.penstock.partitioner.search;

import io.penstock.partitioner.Plan.StageLayers;
import io.penstock.partitioner.PlanException;
import io.penstock.partitioner.cluster.Cluster;
import io.penstock.partitioner.cluster.Device;
import io.penstock.partitioner.estimate.Estimate;
import io.penstock.partitioner.estimate.Layout;
import io.penstock.partitioner.estimate.StepEstimator;
import io.penstock.partitioner.estimate.Transformer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Best first: layouts are taken in the order of a bound that no schedule can beat, split exactly, dropped if a rank does not fit, simulated, until the bound of the next one
 * is slower than the worst of the best. So the result is that of simulating all.
 */
public final class LayoutSearch {
    private static final double GIB = 1L << 30;

    private final Transformer model;
    private final Cluster cluster;
    private final int globalBatch;
    private final Pinned pinned;

    /** {@code globalBatch}: sequences a step over the whole cluster. */
    public LayoutSearch(Transformer model, Cluster cluster, int globalBatch, Pinned pinned) {
        this.model = model;
        this.cluster = cluster;
        this.globalBatch = globalBatch;
        this.pinned = pinned;
    }

    private record Bound(Layout layout, StepEstimator estimator, double seconds) {}

    /**
     * The fastest {@code count} layouts.
     *
     * @throws PlanException if no layout divides the devices, heads and batch at all
     */
    public SearchResult best(int count) {
        List<Bound> bounds = bounds(cluster);
        List<Estimate> best = new ArrayList<>();
        int simulated = 0;
        for (Bound bound : bounds) {
            if (best.size() == count && bound.seconds() >= best.getLast().seconds()) {
                break;
            }
            Optional<List<StageLayers>> split = fittingSplit(bound, cluster.device());
            if (split.isPresent()) {
                simulated++;
                best.add(bound.estimator().estimate(split.get()));
                best.sort(Comparator.comparingDouble(Estimate::seconds));
                if (best.size() > count) {
                    best.removeLast();
                }
            }
        }
        return new SearchResult(best, best.isEmpty() ? remedies(bounds) : List.of(), bounds.size(), simulated);
    }

    private List<Bound> bounds(Cluster on) {
        List<Bound> bounds = new ArrayList<>();
        for (Layout layout : Layouts.of(model, on, globalBatch, pinned)) {
            StepEstimator estimator = new StepEstimator(model, layout, on);
            bounds.add(new Bound(layout, estimator, estimator.lowerBoundSeconds()));
        }
        if (bounds.isEmpty()) {
            throw new PlanException("no layout of " + on.devices() + " devices divides " + model.heads() + " heads, "
                    + model.keyValueHeads() + " key-value heads and a global batch of " + globalBatch
                    + " sequences within the keys that are set: change global_batch_size to a multiple of the data axis, or"
                    + " free a key of parallelism");
        }
        bounds.sort(Comparator.comparingDouble(Bound::seconds));
        return bounds;
    }

    private static Optional<List<StageLayers>> fittingSplit(Bound bound, Device device) {
        try {
            List<StageLayers> split = bound.estimator().split(true);
            double most =
                    Arrays.stream(bound.estimator().rankBytes(split)).max().orElse(0);
            return most <= device.memoryBytes() ? Optional.of(split) : Optional.empty();
        } catch (PlanException e) {
            return Optional.empty(); // no split fits
        }
    }

    private List<String> remedies(List<Bound> bounds) {
        List<String> remedies = new ArrayList<>();
        double least = Double.POSITIVE_INFINITY;
        Layout leanest = bounds.getFirst().layout();
        for (Bound bound : bounds) {
            double most = Arrays.stream(
                            bound.estimator().rankBytes(bound.estimator().split(false)))
                    .max()
                    .orElse(0);
            if (most < least) {
                least = most;
                leanest = bound.layout();
            }
        }
        remedies.add(String.format(
                Locale.ROOT,
                "devices of %.1f GiB instead of %.1f GiB, with tensor=%d pipeline=%d data=%d micro_batch=%d schedule=%s"
                        + " zero_stage=%d recompute=%s",
                Math.ceil(least / GIB * 10) / 10,
                cluster.device().memoryBytes() / GIB,
                leanest.tensor(),
                leanest.pipeline(),
                leanest.data(),
                leanest.microBatch(),
                leanest.schedule(),
                leanest.zeroStage(),
                leanest.recompute().name().toLowerCase(Locale.ROOT)));
        moreDevices().ifPresent(remedies::add);
        return remedies;
    }

    /** Doubles the cluster until something fits, at most to a thousand times its size. */
    private Optional<String> moreDevices() {
        for (int factor = 2; factor <= 1024; factor *= 2) {
            int devices = cluster.devices() * factor;
            int node = Math.min(devices, cluster.devicesPerNode());
            if (devices % node != 0) {
                continue;
            }
            Cluster larger = new Cluster(
                    cluster.name(),
                    devices,
                    node,
                    cluster.device(),
                    cluster.inNode(),
                    cluster.network(),
                    cluster.pipeline());
            for (Layout layout : Layouts.of(model, larger, globalBatch, pinned)) {
                StepEstimator estimator = new StepEstimator(model, layout, larger);
                if (fittingSplit(new Bound(layout, estimator, 0), cluster.device())
                        .isPresent()) {
                    return Optional.of(String.format(
                            Locale.ROOT,
                            "%d devices instead of %d, with tensor=%d pipeline=%d data=%d recompute=%s",
                            devices,
                            cluster.devices(),
                            layout.tensor(),
                            layout.pipeline(),
                            layout.data(),
                            layout.recompute().name().toLowerCase(Locale.ROOT)));
                }
            }
        }
        return Optional.empty();
    }
}
