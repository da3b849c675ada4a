package io.penstock.engine.config;

import io.penstock.engine.config.yaml.Key;
import io.penstock.engine.config.yaml.Ranges;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** A layout of which some keys are given and the plan chooses the others. */
public record PartlyAutoLayout(
        @Key("`true`: the plan chooses what is not given here.")
        boolean auto,

        @Key(value = "Ranks that share the layers of the model.", min = 1, max = 65536)
        Optional<Integer> pipeline,

        @Key("Order in which micro-batches go through the pipeline.")
        Optional<ScheduleName> schedule,

        @Key(value = "Stages of one pipeline rank.", min = 1, max = 65536)
        Optional<Integer> chunks,

        @Key("A file with the order of every rank, in place of `schedule`.")
        Optional<Path> scheduleFile,

        @Key(
                value = "Layers of every stage in model order, embedding and head counted as one each.",
                byDefault = "[]",
                min = 1)
        List<Integer> split)
        implements Parallelism {
    /** Everything left to the plan. */
    public static final PartlyAutoLayout NOTHING_GIVEN = new PartlyAutoLayout(
            true, Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty(), List.of());

    public PartlyAutoLayout {
        Ranges.check(PartlyAutoLayout.class, auto, pipeline, schedule, chunks, scheduleFile, split);
        split = List.copyOf(split);
    }
}
