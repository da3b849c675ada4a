package io.penstock.engine.planning;

import io.penstock.engine.config.ActivationCheckpointing;
import io.penstock.engine.config.PinnedLayout;
import io.penstock.engine.config.PlannedOffload;
import io.penstock.engine.config.PlanningConfig;
import io.penstock.engine.training.DoesNotFitException;
import io.penstock.partitioner.cluster.Cluster;
import io.penstock.partitioner.estimate.Layout.Recompute;
import io.penstock.partitioner.estimate.Transformer;
import io.penstock.partitioner.render.Bytes;
import io.penstock.partitioner.search.LayoutSearch;
import io.penstock.partitioner.search.Pinned;
import io.penstock.partitioner.search.SearchResult;
import java.util.Optional;
import java.util.OptionalInt;

/** Plans for a described cluster, where nothing is measured. */
public final class ClusterPlanner {
    private static final int BEST = 5;

    private ClusterPlanner() {}

    /**
     * The best layouts.
     *
     * @throws DoesNotFitException with the smallest changes that would make it fit
     * @throws io.penstock.partitioner.PlanException if no layout divides
     */
    public static ClusterReport plan(PlanningConfig config, Budget budget) {
        Transformer model = config.model().toTransformer(config.training().sequenceLength());
        Cluster cluster = config.cluster().toCluster();
        SearchResult result =
                new LayoutSearch(model, cluster, config.training().globalBatchSize(), pinned(config)).best(BEST);
        if (result.best().isEmpty()) {
            throw new DoesNotFitException(PlanWords.format(
                    "none of %,d layouts of %.1f B parameters fits %,d devices of %s; it would fit with one of: %s",
                    result.layouts(),
                    model.parameters() / 1e9,
                    cluster.devices(),
                    Bytes.text(cluster.device().memoryBytes()),
                    String.join("; ", result.remedies())));
        }
        return new ClusterReport(model, cluster, result, budget);
    }

    private static Pinned pinned(PlanningConfig config) {
        PinnedLayout keys = config.parallelism().pinned();
        return new Pinned(
                number(keys.tensor()),
                number(keys.pipeline()),
                number(keys.data()),
                number(config.training().microBatchSize()),
                keys.schedule().map(Object::toString),
                number(keys.chunks()),
                number(keys.zeroStage()),
                keys.activationCheckpointing().flatMap(ClusterPlanner::recompute),
                keys.sequenceParallel(),
                keys.offload().map(PlannedOffload::offload));
    }

    private static Optional<Recompute> recompute(ActivationCheckpointing asked) {
        return switch (asked) {
            case NONE -> Optional.of(Recompute.NONE);
            case SELECTIVE -> Optional.of(Recompute.SELECTIVE);
            case FULL -> Optional.of(Recompute.FULL);
            case AUTO -> Optional.empty();
        };
    }

    private static OptionalInt number(Optional<Integer> key) {
        return key.isPresent() ? OptionalInt.of(key.get()) : OptionalInt.empty();
    }
}
