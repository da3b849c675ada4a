package io.penstock.engine.planning;

import io.penstock.engine.config.Config;
import io.penstock.engine.config.Layout;
import io.penstock.engine.config.Offload;
import io.penstock.engine.training.OffloadSpace;
import io.penstock.models.ModelSpec;
import io.penstock.models.Recomputation;
import io.penstock.partitioner.Offloading;
import io.penstock.partitioner.Plan;
import io.penstock.partitioner.simulate.TimeSplit;
import io.penstock.partitioner.simulate.Timeline;
import java.util.List;
import java.util.stream.Collectors;

/**
 * A layout that this machine can run, and what its step is expected to be.
 *
 * @param config with the layout in it
 * @param limitBytes that a rank may allocate
 */
public record MachinePlan(
        Config config, ModelSpec model, Plan plan, Timeline timeline, TimeSplit split, long limitBytes, String basis) {
    public double seconds() {
        return timeline.seconds();
    }

    public long tokens() {
        return plan.microBatch().rows()
                * plan.schedule().microBatches()
                * plan.axes().data();
    }

    public double tokensPerSecond() {
        return tokens() / seconds();
    }

    long mostBytes() {
        return plan.memory().stream()
                .mapToLong(memory -> memory.totalBytes())
                .max()
                .orElse(0);
    }

    /** Of all ranks, outside of device memory. */
    long offloadedBytes() {
        return OffloadSpace.bytes(config, plan);
    }

    /** "optimizer, activations", of what there is to offload. */
    String offloadWords() {
        return config.layout().offload().stream().map(Offload::toString).collect(Collectors.joining(", "));
    }

    boolean fits() {
        return mostBytes() <= limitBytes;
    }

    /** The greatest share of the step that is not computing, or computing where that is nine tenths of it. */
    String limitedBy() {
        double rest = seconds() - split.compute();
        if (rest < 0.1 * seconds()) {
            return "compute";
        }
        return split.bubble() >= Math.max(split.messages(), split.end())
                ? "pipeline bubble"
                : split.messages() > split.end() ? "pipeline messages" : "optimizer and reductions";
    }

    private String recomputed() {
        List<Recomputation> blocks =
                plan.techniques().recomputation(1, model.layers().size() - 1);
        long full = blocks.stream().filter(Recomputation.FULL::equals).count();
        long selective = blocks.stream().filter(Recomputation.SELECTIVE::equals).count();
        return (full > 0 ? ", " + full + " of " + blocks.size() + " layers recomputed" : "")
                + (selective > 0 ? ", " + selective + " of " + blocks.size() + " selectively" : "");
    }

    /** "pipeline 2, 1f1b, micro-batch 4", and what else is not left alone: "data 2, zero 1, selective recomputation". */
    public String layout() {
        Layout layout = config.layout();
        return "pipeline " + layout.pipeline()
                + (layout.data() > 1 ? ", data " + layout.data() + ", zero " + layout.zeroStage() : "") + ", "
                + plan.schedule().name()
                + (layout.chunks() > 1 ? " x " + layout.chunks() : "") + ", micro-batch "
                + plan.microBatch().batch()
                + recomputed()
                + (config.layout().offloading().equals(Offloading.NONE) ? "" : ", offload " + offloadWords());
    }
}
