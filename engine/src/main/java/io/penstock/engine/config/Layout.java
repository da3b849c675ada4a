package io.penstock.engine.config;

import io.penstock.engine.config.yaml.Key;
import io.penstock.engine.config.yaml.Otherwise;
import io.penstock.engine.config.yaml.Ranges;
import io.penstock.partitioner.Axes;
import io.penstock.partitioner.Offloading;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** A layout given key by key. */
@Otherwise
public record Layout(
        @Key(
                value = "Ranks that share the layers of the model, one stage or more each.",
                byDefault = "1",
                min = 1,
                max = 65536)
        int pipeline,

        @Key(value = "Ranks that share each layer.", byDefault = "1", min = 1, max = 65536)
        int tensor,

        @Key(
                value = "With `tensor` above 1: whether norms, residuals and what goes from layer to layer are shared"
                        + " out by tokens instead of repeated on each rank.",
                byDefault = "true")
        boolean sequenceParallel,

        @Key(value = "Replicas that share each batch.", byDefault = "1", min = 1, max = 65536)
        int data,

        @Key(value = "Stages of one pipeline rank.", byDefault = "1", min = 1, max = 65536)
        int chunks,

        @Key(value = "Order in which micro-batches go through the pipeline.", byDefault = "1f1b")
        ScheduleName schedule,

        @Key(
                value = "What replicas share: 1 optimizer states, 2 gradients too, 3 parameters too.",
                byDefault = "0",
                min = 0,
                max = 3)
        int zeroStage,

        @Key(
                value = "With `zero_stage` 2 and 3: blocks whose whole matrices a rank holds at once.",
                byDefault = "2",
                min = 2,
                max = 65536)
        int zeroWindow,

        @Key(
                value = "Activations that are computed again instead of kept: a word for all layers (blocks), or a"
                        + " list with a word for each. `selective`: all but the outputs of matrix products,"
                        + " attention among it; `full`: all but a layer's input; `auto`: on every rank as little"
                        + " as its memory allows.",
                byDefault = "none",
                orOne = true)
        List<ActivationCheckpointing> activationCheckpointing,

        @Key(
                value = "What lives outside of device memory, in `cluster.offload_store`: `optimizer` states;"
                        + " `parameters`, with `zero_stage: 3`, and optimizer states with them; `activations`, what"
                        + " a micro-batch's forward saves, until its backward. A word or a list of them.",
                byDefault = "none",
                orOne = true)
        List<Offload> offload,

        @Key("A file with the order of every rank, in place of `schedule`; its ranks, chunks and micro-batches must"
                + " be those of the run.")
        Optional<Path> scheduleFile,

        @Key(
                value = "Layers of every stage in model order, embedding and head counted as one each; the plan splits"
                        + " evenly by time where empty.",
                byDefault = "[]",
                min = 1)
        List<Integer> split)
        implements Parallelism {
    public Layout {
        Ranges.check(
                Layout.class,
                pipeline,
                tensor,
                sequenceParallel,
                data,
                chunks,
                schedule,
                zeroStage,
                zeroWindow,
                activationCheckpointing,
                offload,
                scheduleFile,
                split);
        activationCheckpointing = List.copyOf(activationCheckpointing);
        offload = List.copyOf(offload);
        split = List.copyOf(split);
    }

    /** With a schedule by name, the split left to the plan and tokens shared out. */
    public Layout(
            int pipeline,
            int tensor,
            int data,
            int chunks,
            ScheduleName schedule,
            int zeroStage,
            int zeroWindow,
            ActivationCheckpointing activationCheckpointing,
            Offload offload) {
        this(
                pipeline,
                tensor,
                data,
                chunks,
                schedule,
                zeroStage,
                zeroWindow,
                List.of(activationCheckpointing),
                List.of(offload),
                Optional.empty(),
                List.of());
    }

    /** With tokens shared out. */
    public Layout(
            int pipeline,
            int tensor,
            int data,
            int chunks,
            ScheduleName schedule,
            int zeroStage,
            int zeroWindow,
            List<ActivationCheckpointing> activationCheckpointing,
            List<Offload> offload,
            Optional<Path> scheduleFile,
            List<Integer> split) {
        this(
                pipeline,
                tensor,
                true,
                data,
                chunks,
                schedule,
                zeroStage,
                zeroWindow,
                activationCheckpointing,
                offload,
                scheduleFile,
                split);
    }

    /** The same with other recomputation. */
    public Layout withActivationCheckpointing(List<ActivationCheckpointing> words) {
        return new Layout(
                pipeline,
                tensor,
                sequenceParallel,
                data,
                chunks,
                schedule,
                zeroStage,
                zeroWindow,
                words,
                offload,
                scheduleFile,
                split);
    }

    Layout withSizes(int pipelineRanks, int tensorRanks, int replicas, int chunksPerRank) {
        return new Layout(
                pipelineRanks,
                tensorRanks,
                sequenceParallel,
                replicas,
                chunksPerRank,
                schedule,
                zeroStage,
                zeroWindow,
                activationCheckpointing,
                offload,
                scheduleFile,
                split);
    }

    public Layout withPipeline(int ranks) {
        return withSizes(ranks, tensor, data, chunks);
    }

    public Layout withSplit(List<Integer> layersOfStages) {
        return new Layout(
                pipeline,
                tensor,
                sequenceParallel,
                data,
                chunks,
                schedule,
                zeroStage,
                zeroWindow,
                activationCheckpointing,
                offload,
                scheduleFile,
                layersOfStages);
    }

    public Layout withZeroStage(int stage) {
        return new Layout(
                pipeline,
                tensor,
                sequenceParallel,
                data,
                chunks,
                schedule,
                stage,
                zeroWindow,
                activationCheckpointing,
                offload,
                scheduleFile,
                split);
    }

    /** The same with other things outside of device memory. */
    public Layout withOffload(List<Offload> words) {
        return new Layout(
                pipeline,
                tensor,
                sequenceParallel,
                data,
                chunks,
                schedule,
                zeroStage,
                zeroWindow,
                activationCheckpointing,
                words,
                scheduleFile,
                split);
    }

    /** What {@link #offload} says, whatever the order of its words. */
    public Offloading offloading() {
        return offload.stream().map(Offload::offloading).reduce(Offloading.NONE, Offloading::and);
    }

    /** Ranks of the run. */
    public int ranks() {
        return Math.multiplyExact(Math.multiplyExact(pipeline, tensor), data);
    }

    public Axes axes() {
        return new Axes(tensor, data, pipeline);
    }

    /** Stages the model is split in. */
    public int stages() {
        return Math.multiplyExact(pipeline, chunks);
    }
}
