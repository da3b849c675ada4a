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

        @Key(
                value = "Replicas that share each batch; 1 where absent, unless `training.gradient_sum.width` fixes"
                        + " the bits for any number.",
                min = 1,
                max = 65536)
        Optional<Integer> data,

        @Key(value = "What replicas share: 1 optimizer states, 2 gradients too, 3 parameters too.", min = 0, max = 3)
        Optional<Integer> zeroStage,

        @Key("Activations that are computed again instead of kept; no more than fits asks for where absent.")
        Optional<ActivationCheckpointing> activationCheckpointing,

        @Key(
                value =
                        "What lives outside of device memory, a word or a list of them; optimizer states, activations or"
                                + " both where absent and no layout fits without.",
                byDefault = "[]",
                orOne = true)
        List<Offload> offload,

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
            true,
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            List.of(),
            Optional.empty(),
            List.of());

    public PartlyAutoLayout {
        Ranges.check(
                PartlyAutoLayout.class,
                auto,
                pipeline,
                schedule,
                chunks,
                data,
                zeroStage,
                activationCheckpointing,
                offload,
                scheduleFile,
                split);
        offload = List.copyOf(offload);
        split = List.copyOf(split);
    }
}
