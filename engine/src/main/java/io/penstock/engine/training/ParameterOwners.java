package io.penstock.engine.training;

import io.penstock.engine.state.ParameterState;
import io.penstock.models.ModelSpec;
import io.penstock.models.ParameterSpec;
import io.penstock.models.parallel.Distribution;
import io.penstock.partitioner.Axes;
import io.penstock.partitioner.Plan;
import io.penstock.partitioner.memory.MemoryPlanner;
import io.penstock.partitioner.schedule.Placement;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Who counts and saves each parameter of a model, in canonical order: the pipeline rank of the first stage that holds it, so of a tied one the embedding's; of ranks that
 * share a layer, all that hold a part of it, and of ranks that hold the same, only the first.
 */
final class ParameterOwners {
    private final List<ParameterSpec> canonical;
    private final int[] ranks;
    private final int tensor;

    ParameterOwners(ModelSpec model, Plan plan, Placement placement) {
        canonical = List.copyOf(MemoryPlanner.distinctParameters(model.layers()));
        tensor = plan.axes().tensor();
        ranks = new int[canonical.size()];
        Arrays.fill(ranks, -1);
        for (int stage = 0; stage < placement.stages(); stage++) {
            Plan.StageLayers range = plan.stages().get(stage);
            for (ParameterSpec spec :
                    MemoryPlanner.distinctParameters(model.layers().subList(range.from(), range.to()))) {
                int index = canonical.indexOf(spec);
                ranks[index] = ranks[index] < 0 ? placement.rankOf(stage) : ranks[index];
            }
        }
    }

    /** The pipeline rank of each parameter. */
    int[] ranks() {
        return ranks.clone();
    }

    /** In how many parts each parameter lies on the ranks that share its layer. */
    int[] parts() {
        return canonical.stream().mapToInt(this::parts).toArray();
    }

    private int parts(ParameterSpec parameter) {
        return parameter.distribution() instanceof Distribution.Split ? tensor : 1;
    }

    /** Where each of the states' parameters is in canonical order. */
    int[] indices(List<ParameterState> states) {
        return states.stream()
                .mapToInt(state -> canonical.indexOf(state.spec()))
                .toArray();
    }

    /** Those of a rank's states that it saves. */
    List<ParameterState> owned(List<ParameterState> states, Axes axes, int rank) {
        return states.stream()
                .filter(state -> ranks[canonical.indexOf(state.spec())] == axes.pipelineRank(rank))
                .filter(state -> axes.tensorRank(rank) < parts(state.spec()))
                .toList();
    }

    /** The pipeline rank of each parameter by its name. */
    Map<String, Integer> byName() {
        Map<String, Integer> byName = new LinkedHashMap<>();
        for (int i = 0; i < ranks.length; i++) {
            byName.put(canonical.get(i).name(), ranks[i]);
        }
        return byName;
    }
}
