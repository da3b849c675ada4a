package io.penstock.engine.training;

import com.sun.management.OperatingSystemMXBean;
import io.penstock.engine.config.Config;
import io.penstock.engine.device.Devices;
import java.lang.management.ManagementFactory;

/** What a rank may allocate. */
public final class MemoryLimit {
    private MemoryLimit() {}

    /** Bytes: {@code cluster.memory_per_rank}, else a rank's even share of this machine, or of its GPU. */
    public static long of(Config config) {
        return config.cluster().memoryPerRank().map(size -> size.bytes()).orElseGet(() -> switch (config.cluster()
                .device()) {
            case CPU -> {
                OperatingSystemMXBean system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
                yield system.getTotalMemorySize() / config.layout().ranks();
            }
            case CUDA -> Devices.memoryPerRank(config);
        });
    }
}
