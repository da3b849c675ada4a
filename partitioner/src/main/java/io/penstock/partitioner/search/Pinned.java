package io.penstock.partitioner.search;

import io.penstock.partitioner.estimate.Layout;
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
        Optional<Recompute> recompute) {
    public static final Pinned NOTHING = new Pinned(
            OptionalInt.empty(),
            OptionalInt.empty(),
            OptionalInt.empty(),
            OptionalInt.empty(),
            Optional.empty(),
            OptionalInt.empty(),
            OptionalInt.empty(),
            Optional.empty());

    boolean allows(Layout layout) {
        return is(tensor, layout.tensor())
                && is(pipeline, layout.pipeline())
                && is(data, layout.data())
                && is(microBatch, layout.microBatch())
                && is(chunks, layout.chunks())
                && is(zeroStage, layout.zeroStage())
                && schedule.map(layout.schedule()::equals).orElse(true)
                && recompute.map(layout.recompute()::equals).orElse(true);
    }

    private static boolean is(OptionalInt pinned, int value) {
        return pinned.isEmpty() || pinned.getAsInt() == value;
    }
}
