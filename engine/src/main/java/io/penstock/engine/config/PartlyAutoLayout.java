package io.penstock.engine.config;

import io.penstock.engine.config.yaml.Key;
import io.penstock.engine.config.yaml.Ranges;
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
        Optional<Integer> chunks)
        implements Parallelism {
    public PartlyAutoLayout {
        Ranges.check(PartlyAutoLayout.class, auto, pipeline, schedule, chunks);
    }
}
