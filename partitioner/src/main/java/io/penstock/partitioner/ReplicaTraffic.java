package io.penstock.partitioner;

import io.penstock.models.BlockSpec;
import io.penstock.models.LayerSpec;
import io.penstock.models.ModelSpec;
import io.penstock.models.ParameterSpec;
import io.penstock.partitioner.memory.StateLayout;
import java.util.ArrayList;
import java.util.List;

/** Bytes that a rank sends to its replicas, by what for; as many come back. With one replica nothing. */
final class ReplicaTraffic {
    private final Plan plan;
    private final Sharding sharding;
    private final List<StateLayout> ranks = new ArrayList<>();
    private final List<List<List<LayerSpec>>> chunks = new ArrayList<>();

    ReplicaTraffic(Plan plan, ModelSpec model) {
        this.plan = plan;
        this.sharding = plan.techniques().sharding();
        for (List<Integer> stages : plan.schedule().stageOf()) {
            List<List<LayerSpec>> ofRank = new ArrayList<>();
            for (int stage : stages) {
                Plan.StageLayers held = plan.stages().get(stage);
                ofRank.add(model.layers().subList(held.from(), held.to()));
            }
            chunks.add(ofRank);
            List<LayerSpec> all = ofRank.stream().flatMap(List::stream).toList();
            ranks.add(new StateLayout(
                    all,
                    plan.compute(),
                    sharding,
                    plan.techniques().offloading(),
                    plan.schedule().microBatches()));
        }
    }

    /** Of {@code bytes} that all replicas hold or shall hold, what one of them sends: all parts but its own. */
    private double others(double bytes) {
        return bytes * (sharding.data() - 1) / sharding.data();
    }

    /** Each leaf of a chunk's gradients is scattered and summed once. */
    double reducedBytes(int rank, int chunk) {
        double bytes = 0;
        for (LayerSpec layer : chunks.get(rank).get(chunk)) {
            for (ParameterSpec parameter : layer.parameters()) {
                bytes += (double) ranks.get(rank).wholeElements(parameter)
                        * plan.compute().accumulator().bytes();
            }
        }
        return others(bytes);
    }

    private double windowedBytes(int rank, int chunk) {
        StateLayout layout = ranks.get(rank);
        double bytes = 0;
        for (ParameterSpec parameter : windowed(rank, chunk)) {
            bytes += (double) layout.wholeElements(parameter)
                    * layout.valueType(parameter).bytes();
        }
        return others(bytes);
    }

    private List<ParameterSpec> windowed(int rank, int chunk) {
        return chunks.get(rank).get(chunk).stream()
                .flatMap(layer -> layer.parameters().stream())
                .filter(ranks.get(rank)::windowsValue)
                .toList();
    }

    /** Elements of the masters that a rank makes its own part of a chunk's windows from. */
    double windowedElements(int rank, int chunk) {
        return windowed(rank, chunk).stream()
                        .mapToDouble(ranks.get(rank)::wholeElements)
                        .sum()
                / sharding.data();
    }

    /** Whether a chunk's blocks have a window each, so that they come once an episode and not for every computation. */
    boolean staysWhole(int rank, int chunk) {
        long blocks = chunks.get(rank).get(chunk).stream()
                .filter(BlockSpec.class::isInstance)
                .count();
        return blocks <= ranks.get(rank).windows();
    }

    /** For a whole episode on a chunk. */
    double gatheredBytes(int rank, int chunk) {
        return staysWhole(rank, chunk) ? windowedBytes(rank, chunk) : 0;
    }

    /** For every computation of a chunk with more blocks than windows. */
    double regatheredBytes(int rank, int chunk) {
        return staysWhole(rank, chunk) ? 0 : windowedBytes(rank, chunk);
    }

    /** After the sums of a step: whole gradients where every replica updates everything, else updated values. */
    double finalBytes(int rank) {
        StateLayout layout = ranks.get(rank);
        double bytes = 0;
        for (ParameterSpec parameter : layout.parameters()) {
            if (!sharding.shardsOptimizer()) {
                bytes += (double) layout.wholeElements(parameter)
                        * plan.compute().accumulator().bytes();
            } else if (!layout.windowsValue(parameter)) {
                bytes += (double) layout.wholeElements(parameter)
                        * layout.valueType(parameter).bytes();
            }
        }
        return others(bytes);
    }
}
