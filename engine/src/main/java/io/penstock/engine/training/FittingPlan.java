package io.penstock.engine.training;

import io.penstock.engine.config.Config;
import io.penstock.engine.config.DeviceKind;
import io.penstock.engine.device.Devices;
import io.penstock.models.ModelSpec;
import io.penstock.partitioner.Plan;
import io.penstock.partitioner.render.Bytes;

/** The plan of a config's layout, held against what its ranks may have. */
public final class FittingPlan {
    private FittingPlan() {}

    /** {@code activation_checkpointing: auto} as the plan has chosen, so that every rank does the same; otherwise the config itself. */
    public static Config decided(Config config) {
        if (!LayerRecomputation.isAuto(config.layout())) {
            return config;
        }
        ModelSpec model = RunSetup.model(config);
        return RunSetup.decided(config, model, of(config, model));
    }

    /**
     * Throws {@link DoesNotFitException} if a rank needs more than {@code cluster.memory_per_rank} or its share of a GPU, {@link io.penstock.engine.offload.StoreException} if the ranks of this machine
     * offload more than its disk has room for.
     */
    public static Plan of(Config config, ModelSpec model) {
        Devices.require(config.cluster().device());
        Plan plan = RunSetup.plan(config, model, Devices.workspaceBytes(config.cluster()));
        config.cluster()
                .memoryPerRank()
                .ifPresent(limit -> requireFit(config, plan, limit.bytes(), "cluster.memory_per_rank is "));
        if (config.cluster().device() == DeviceKind.CUDA) {
            requireFit(config, plan, Devices.memoryPerRank(config), "its share of the GPU is ");
        }
        OffloadSpace.require(config, plan);
        return plan;
    }

    private static void requireFit(Config config, Plan plan, long limit, String whose) {
        String where = config.cluster().device() == DeviceKind.CUDA ? " with cluster.offload_store.kind: host" : "";
        for (int rank = 0; rank < plan.memory().size(); rank++) {
            long bytes = plan.memory().get(rank).totalBytes();
            if (bytes > limit) {
                throw new DoesNotFitException("rank " + rank + " needs " + bytes + " bytes ("
                        + Bytes.text((double) bytes) + "), " + whose + limit + " (" + Bytes.text((double) limit)
                        + "): use activation_checkpointing: auto, offload" + where
                        + ", more stages, a smaller micro_batch_size or a shorter sequence_length");
            }
        }
    }
}
