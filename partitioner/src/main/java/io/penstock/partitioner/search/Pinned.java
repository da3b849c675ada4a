package io.penstock.partitioner.search;

import io.penstock.partitioner.estimate.Layout;
import io.penstock.partitioner.estimate.Layout.Offload;
import io.penstock.partitioner.estimate.Layout.Recompute;
import java.util.Optional;
import java.util.OptionalInt;

/** Keys that the user has set: the search respects them. Empty is free. */
public record Pinned(
        OptionalInt tensor,
        OptionalInt pipeline,
        OptionalInt data,
        OptionalInt microBatch,
        Optional<String> schedule,
        OptionalInt chunks,
        OptionalInt zeroStage,
        Optional<Recompute> recompute,
        Optional<Boolean> sequenceParallel,
        Optional<Offload> offload) {
    public static final Pinned NOTHING = new Pinned(
            OptionalInt.empty(),
            OptionalInt.empty(),
            OptionalInt.empty(),
            OptionalInt.empty(),
            Optional.empty(),
            OptionalInt.empty(),
            OptionalInt.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty());

    boolean allows(Layout layout) {
        return is(tensor, layout.tensor())
                && is(pipeline, layout.pipeline())
                && is(data, layout.data())
                && is(microBatch, layout.microBatch())
                && is(chunks, layout.chunks())
                && is(zeroStage, layout.zeroStage())
                && schedule.map(layout.schedule()::equals).orElse(true);
    }

    private static boolean is(OptionalInt pinned, int value) {
        return pinned.isEmpty() || pinned.getAsInt() == value;
    }

    Pinned withAxes(OptionalInt otherTensor, OptionalInt otherPipeline, OptionalInt otherData) {
        return new Pinned(
                otherTensor,
                otherPipeline,
                otherData,
                microBatch,
                schedule,
                chunks,
                zeroStage,
                recompute,
                sequenceParallel,
                offload);
    }

    Pinned withMicroBatch(OptionalInt other) {
        return new Pinned(
                tensor, pipeline, data, other, schedule, chunks, zeroStage, recompute, sequenceParallel, offload);
    }

    Pinned withZeroStage(OptionalInt other) {
        return new Pinned(
                tensor, pipeline, data, microBatch, schedule, chunks, other, recompute, sequenceParallel, offload);
    }

    Pinned withRecompute(Optional<Recompute> other) {
        return new Pinned(
                tensor, pipeline, data, microBatch, schedule, chunks, zeroStage, other, sequenceParallel, offload);
    }

    Pinned withSchedule(Optional<String> other) {
        return new Pinned(
                tensor, pipeline, data, microBatch, other, chunks, zeroStage, recompute, sequenceParallel, offload);
    }

    Pinned withSequenceParallel(Optional<Boolean> other) {
        return new Pinned(tensor, pipeline, data, microBatch, schedule, chunks, zeroStage, recompute, other, offload);
    }

    Pinned withOffload(Optional<Offload> other) {
        return new Pinned(
                tensor, pipeline, data, microBatch, schedule, chunks, zeroStage, recompute, sequenceParallel, other);
    }
}
