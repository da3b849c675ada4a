package io.penstock.engine.planning;

import io.penstock.engine.config.ActivationCheckpointing;
import io.penstock.engine.config.Config;
import io.penstock.engine.config.DeviceKind;
import io.penstock.engine.config.Layout;
import io.penstock.engine.config.Offload;
import io.penstock.engine.config.OffloadStoreKind;
import io.penstock.engine.config.ScheduleName;
import io.penstock.engine.config.yaml.ConfigException;
import io.penstock.engine.training.DoesNotFitException;
import io.penstock.engine.training.MemoryLimit;
import io.penstock.engine.training.RunSetup;
import io.penstock.models.MicroBatchShape;
import io.penstock.partitioner.PlanException;
import io.penstock.partitioner.memory.MemoryPlanner;
import io.penstock.partitioner.render.Bytes;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** A layout that does not fit: the numbers, and the smallest change of one thing that makes it fit, for each thing that can. */
final class Misfit {
    private final MachinePlan plan;
    private final long workspaceBytes;

    Misfit(MachinePlan plan, long workspaceBytes) {
        this.plan = plan;
        this.workspaceBytes = workspaceBytes;
    }

    DoesNotFitException exception() {
        int rank = 0;
        while (plan.plan().memory().get(rank).totalBytes() < plan.mostBytes()) {
            rank++;
        }
        String limit = plan.config().cluster().memoryPerRank().isPresent()
                ? "cluster.memory_per_rank is "
                : "its share of "
                        + (plan.config().cluster().device() == DeviceKind.CUDA ? "the GPU" : "this machine's memory")
                        + " is ";
        return new DoesNotFitException("rank " + plan.plan().axes().rank(rank, 0, 0) + " needs " + plan.mostBytes()
                + " bytes (" + Bytes.text((double) plan.mostBytes()) + ") with " + plan.layout() + ", " + limit
                + plan.limitBytes() + " (" + Bytes.text((double) plan.limitBytes()) + "); it would fit with one of: "
                + String.join("; ", changes()));
    }

    private List<String> changes() {
        Layout layout = plan.config().layout();
        List<String> changes = new ArrayList<>();
        changes.add(Bytes.text((double) plan.mostBytes()) + " a rank");
        if (layout.scheduleFile().isEmpty()) {
            smallerMicroBatch().ifPresent(changes::add);
            if (layout.split().isEmpty()) {
                moreStages().ifPresent(changes::add);
            }
        }
        recomputation().ifPresent(changes::add);
        offload().ifPresent(changes::add);
        sharedStates().ifPresent(changes::add);
        shorterSequence().ifPresent(changes::add);
        return changes;
    }

    private boolean fits(Layout layout, int microBatch) {
        return fits(plan.config(), layout, microBatch);
    }

    private boolean fits(Config config, Layout layout, int microBatch) {
        try {
            Config candidate = config.with(layout, microBatch);
            return candidate.canRun()
                    && RunSetup.plan(candidate, plan.model(), workspaceBytes).memory().stream()
                            .allMatch(memory -> memory.totalBytes() <= MemoryLimit.of(candidate));
        } catch (ConfigException | PlanException e) {
            return false; // it does not even divide
        }
    }

    private int microBatch() {
        return plan.plan().microBatch().batch();
    }

    private Optional<String> smallerMicroBatch() {
        for (int size = microBatch() / 2; size >= 1; size /= 2) {
            if (fits(plan.config().layout(), size)) {
                return Optional.of("micro_batch_size " + size);
            }
        }
        return Optional.empty();
    }

    private Optional<String> moreStages() {
        Layout old = plan.config().layout();
        boolean memoryIsGiven = plan.config().cluster().memoryPerRank().isPresent();
        for (int pipeline = old.pipeline() + 1;
                memoryIsGiven
                        && pipeline * old.chunks() <= plan.model().layers().size();
                pipeline++) {
            boolean divides = old.schedule() != ScheduleName.INTERLEAVED
                    || plan.plan().schedule().microBatches() % pipeline == 0;
            if (divides && fits(old.withPipeline(pipeline), microBatch())) {
                return Optional.of("pipeline " + pipeline);
            }
        }
        return Optional.empty();
    }

    private Optional<String> recomputation() {
        Layout recomputing = plan.config().layout().withActivationCheckpointing(List.of(ActivationCheckpointing.AUTO));
        return fits(recomputing, microBatch()) ? Optional.of("activation_checkpointing auto") : Optional.empty();
    }

    /** The first of activations, optimizer, both, beside what is offloaded already; of a GPU, to the one store that it reaches. */
    private Optional<String> offload() {
        boolean elsewhere = plan.config().cluster().device() == DeviceKind.CUDA
                && plan.config().cluster().offloadStore().kind() != OffloadStoreKind.HOST;
        Config config = elsewhere ? plan.config().offloadingToHost() : plan.config();
        Layout layout = config.layout();
        List<List<Offload>> tries = List.of(
                List.of(Offload.ACTIVATIONS),
                List.of(Offload.OPTIMIZER),
                List.of(Offload.OPTIMIZER, Offload.ACTIVATIONS));
        for (List<Offload> words : tries) {
            Set<Offload> all = new LinkedHashSet<>(layout.offload());
            all.remove(Offload.NONE);
            if (all.addAll(words) && fits(config, layout.withOffload(List.copyOf(all)), microBatch())) {
                return Optional.of("offload " + all + (elsewhere ? " with cluster.offload_store.kind host" : ""));
            }
        }
        return Optional.empty();
    }

    private Optional<String> sharedStates() {
        Layout layout = plan.config().layout();
        for (int stage = layout.zeroStage() + 1; layout.data() > 1 && stage <= 3; stage++) {
            if (fits(layout.withZeroStage(stage), microBatch())) {
                return Optional.of("zero_stage " + stage);
            }
        }
        return Optional.empty();
    }

    private Optional<String> shorterSequence() {
        for (int sequence = plan.plan().microBatch().sequence() / 2; sequence >= 1; sequence /= 2) {
            MicroBatchShape shape = new MicroBatchShape(microBatch(), sequence);
            MemoryPlanner memory = new MemoryPlanner(
                    plan.model(), shape, plan.plan().compute(), plan.plan().techniques(), workspaceBytes);
            boolean fits = memory.plan(plan.plan().schedule(), plan.plan().stages()).stream()
                    .allMatch(rank -> rank.totalBytes() <= plan.limitBytes());
            if (fits) {
                return Optional.of("sequence_length " + sequence);
            }
        }
        return Optional.empty();
    }
}
