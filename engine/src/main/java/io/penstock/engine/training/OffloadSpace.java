package io.penstock.engine.training;

import io.penstock.engine.config.Config;
import io.penstock.engine.config.Launch;
import io.penstock.engine.config.OffloadStoreKind;
import io.penstock.engine.offload.ShardStores;
import io.penstock.partitioner.Plan;
import io.penstock.partitioner.RankMemory;
import java.nio.file.Path;

/** Whether the disk has room for what all ranks of this machine offload, found out before one of them starts. */
final class OffloadSpace {
    private OffloadSpace() {}

    /** Throws {@link io.penstock.engine.offload.StoreException} with the numbers. Each rank takes its part when it opens its store, and may still find it gone. */
    static void require(Config config, Plan plan) {
        // Where ranks of an outside launcher run is not known here: each looks for itself.
        if (config.cluster().offloadStore().kind() == OffloadStoreKind.HOST
                || config.cluster().launch() == Launch.ENVIRONMENT) {
            return;
        }
        long bytes = 0;
        for (RankMemory memory : plan.memory()) {
            long ofReplicas = Math.multiplyExact(
                    memory.store().totalBytes(),
                    config.layout().ranks() / (long) config.layout().pipeline());
            bytes = Math.addExact(bytes, ofReplicas);
        }
        if (bytes > 0) {
            Path directory = config.cluster()
                    .offloadStore()
                    .directory()
                    .orElse(config.run().directory());
            ShardStores.requireSpace(directory, bytes, "the offloaded state of all ranks");
        }
    }
}
