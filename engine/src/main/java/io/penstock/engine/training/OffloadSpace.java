package io.penstock.engine.training;

import io.penstock.engine.config.Config;
import io.penstock.engine.config.Launch;
import io.penstock.engine.config.OffloadStoreKind;
import io.penstock.engine.offload.ShardStores;
import io.penstock.partitioner.Plan;
import io.penstock.partitioner.RankMemory;
import java.nio.file.Path;

/** What all ranks of this machine offload, where to, and whether there is room for it, found out before one of them starts. */
public final class OffloadSpace {
    private OffloadSpace() {}

    /** Throws {@link io.penstock.engine.offload.StoreException} with the numbers. Each rank takes its part when it opens its store, and may still find it gone. */
    static void require(Config config, Plan plan) {
        // Where ranks of an outside launcher run is not known here: each looks for itself.
        if (config.cluster().offloadStore().kind() == OffloadStoreKind.HOST
                || config.cluster().launch() == Launch.ENVIRONMENT) {
            return;
        }
        long bytes = bytes(config, plan);
        if (bytes > 0) {
            ShardStores.requireSpace(directory(config), bytes, "the offloaded state of all ranks");
        }
    }

    /** What all ranks offload. */
    public static long bytes(Config config, Plan plan) {
        long bytes = 0;
        for (RankMemory memory : plan.memory()) {
            long ofReplicas = Math.multiplyExact(
                    memory.offloadedBytes(),
                    config.layout().ranks() / (long) config.layout().pipeline());
            bytes = Math.addExact(bytes, ofReplicas);
        }
        return bytes;
    }

    /** Of stores that are files. */
    public static Path directory(Config config) {
        return config.cluster().offloadStore().directory().orElse(config.run().directory());
    }

    /** "mapped files in /scratch". */
    public static String place(Config config) {
        return switch (config.cluster().offloadStore().kind()) {
            case FILES -> "mapped files in " + directory(config);
            case CHRONICLE_MAP -> "Chronicle Map in " + directory(config);
            case HOST -> "host memory";
        };
    }
}
