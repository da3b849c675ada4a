package io.penstock.engine.config;

import io.penstock.engine.config.yaml.Key;
import io.penstock.engine.config.yaml.Ranges;
import java.util.Optional;

/** The keys of a layout that are given; the plan chooses the others. */
public record PinnedLayout(
        @Key(value = "Ranks that share the layers of the model.", min = 1, max = 65536)
        Optional<Integer> pipeline,

        @Key(value = "Ranks that share each layer.", min = 1, max = 65536)
        Optional<Integer> tensor,

        @Key(value = "Replicas that share each batch.", min = 1, max = 65536)
        Optional<Integer> data,

        @Key(value = "Stages of one pipeline rank.", min = 1, max = 65536)
        Optional<Integer> chunks,

        @Key("Order in which micro-batches go through the pipeline.")
        Optional<ScheduleName> schedule,

        @Key(value = "What replicas share: 1 optimizer states, 2 gradients too, 3 parameters too.", min = 0, max = 3)
        Optional<Integer> zeroStage,

        @Key("Activations that are computed again instead of kept.")
        Optional<ActivationCheckpointing> activationCheckpointing,

        @Key("Whether the ranks that share a layer share its norms and dropouts too; true where absent.")
        Optional<Boolean> sequenceParallel,

        @Key("States that live in the host's memory; what does not fit otherwise where absent.")
        Optional<PlannedOffload> offload)
        implements PlannedLayout {
    /** Nothing given: {@code parallelism: auto}. */
    public static final PinnedLayout NOTHING = new PinnedLayout(
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty());

    public PinnedLayout {
        Ranges.check(
                PinnedLayout.class,
                pipeline,
                tensor,
                data,
                chunks,
                schedule,
                zeroStage,
                activationCheckpointing,
                sequenceParallel,
                offload);
    }

    @Override
    public PinnedLayout pinned() {
        return this;
    }
}
