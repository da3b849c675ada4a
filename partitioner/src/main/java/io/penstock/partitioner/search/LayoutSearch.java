package io.penstock.partitioner.search;

import io.penstock.partitioner.PlanException;
import io.penstock.partitioner.cluster.Cluster;
import io.penstock.partitioner.estimate.Estimate;
import io.penstock.partitioner.estimate.Layout;
import io.penstock.partitioner.estimate.Layout.Offload;
import io.penstock.partitioner.estimate.StepEstimator;
import io.penstock.partitioner.estimate.StepEstimator.Fitting;
import io.penstock.partitioner.estimate.Transformer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.PriorityQueue;

/**
 * Best first: layouts are taken in the order of a bound that no schedule can beat, split exactly within every rank's memory, simulated, until the bound of the next one is
 * slower than the worst of the best. So the result is that of simulating all. A layout that does not fit is tried with states in the host's memory.
 */
public final class LayoutSearch {
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

    private record Bound(StepEstimator estimator, double seconds) {}

    /**
     * The fastest {@code count} layouts.
     *
     * @throws PlanException if no layout divides the devices, heads and batch at all
     */
    public SearchResult best(int count) {
        List<Layout> layouts = Layouts.of(model, cluster, globalBatch, pinned);
        if (layouts.isEmpty()) {
            throw nothingDivides();
        }
        PriorityQueue<Bound> bounds = new PriorityQueue<>(Comparator.comparingDouble(Bound::seconds));
        layouts.forEach(layout -> bounds.add(bound(layout)));
        List<Estimate> best = new ArrayList<>();
        int simulated = 0;
        while (!bounds.isEmpty() && canBeAmong(best, count, bounds.peek().seconds())) {
            StepEstimator estimator = bounds.remove().estimator();
            Optional<Fitting> fitting = estimator.split();
            if (fitting.isEmpty()) {
                offloaded(estimator.layout()).forEach(layout -> bounds.add(bound(layout)));
            } else if (canBeAmong(best, count, estimator.leastSeconds(fitting.get()))) {
                simulated++;
                best.add(estimator.estimate(fitting.get()));
                best.sort(Comparator.comparingDouble(Estimate::seconds));
                if (best.size() > count) {
                    best.removeLast();
                }
            }
        }
        List<String> remedies =
                best.isEmpty() ? new Remedies(model, cluster, globalBatch, pinned).sentences() : List.of();
        return new SearchResult(best, remedies, layouts.size(), simulated);
    }

    private static boolean canBeAmong(List<Estimate> best, int count, double atLeast) {
        return best.size() < count || atLeast < best.getLast().seconds();
    }

    private Bound bound(Layout layout) {
        StepEstimator estimator = new StepEstimator(model, layout, cluster);
        return new Bound(estimator, estimator.lowerBoundSeconds());
    }

    /** What may fit where a layout does not; a layout is not slower for what it does not offload. */
    private List<Layout> offloaded(Layout misfit) {
        return pinned.offload().isEmpty() ? offloads(misfit) : List.of();
    }

    static List<Layout> offloads(Layout layout) {
        return switch (layout.offload()) {
            case NONE -> List.of(layout.with(Offload.OPTIMIZER), layout.with(Offload.ACTIVATIONS));
            case OPTIMIZER -> List.of(layout.with(Offload.OPTIMIZER_AND_ACTIVATIONS));
            case ACTIVATIONS, OPTIMIZER_AND_ACTIVATIONS -> List.of();
        };
    }

    private PlanException nothingDivides() {
        return new PlanException("no layout of " + cluster.devices() + " devices divides " + model.heads() + " heads, "
                + model.keyValueHeads() + " key-value heads and a global batch of " + globalBatch
                + " sequences within the keys that are set: change global_batch_size to a multiple of the data axis, or"
                + " free a key of parallelism");
    }
}
