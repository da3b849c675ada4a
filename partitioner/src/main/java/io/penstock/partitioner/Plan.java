package io.penstock.partitioner;

import io.penstock.models.MicroBatchShape;
import io.penstock.models.parallel.TensorSplit;
import io.penstock.partitioner.schedule.Schedule;
import io.penstock.tensor.DType;
import java.util.List;

/**
 * Who holds which layers, what every rank does and what it will hold in memory: all that the engine needs to run, and all that it must hold to.
 *
 * @param microBatch shape of one micro-batch
 * @param compute the compute type
 * @param schedule the instructions of every pipeline rank
 * @param stages the layers of every stage, in model order
 * @param techniques what is shared, recomputed or offloaded
 * @param split the place of the rank that the plan is for among those that share each layer
 * @param memory what each pipeline rank will allocate, to the byte; replicas of one stage allocate the same
 */
public record Plan(
        MicroBatchShape microBatch,
        DType compute,
        Schedule schedule,
        List<StageLayers> stages,
        Techniques techniques,
        TensorSplit split,
        List<RankMemory> memory) {
    public Plan {
        stages = List.copyOf(stages);
        memory = List.copyOf(memory);
    }

    /** The axes of the ranks that run it. */
    public Axes axes() {
        return new Axes(split.size(), techniques.sharding().data(), schedule.ranks());
    }

    /** Layers {@code from} (inclusive) to {@code to} (exclusive) of {@link io.penstock.models.ModelSpec#layers()}. */
    public record StageLayers(int from, int to) {
        public int count() {
            return to - from;
        }
    }
}
