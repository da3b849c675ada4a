package io.penstock.engine.training;

import com.sun.management.OperatingSystemMXBean;
import io.penstock.engine.config.Config;
import java.lang.management.ManagementFactory;

/** What a rank may allocate. */
public final class MemoryLimit {
    private MemoryLimit() {}

    /** Bytes: {@code cluster.memory_per_rank}, else a rank's even share of this machine. */
    public static long of(Config config) {
        OperatingSystemMXBean system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        return config.cluster()
                .memoryPerRank()
                .map(size -> size.bytes())
                .orElse(system.getTotalMemorySize() / config.layout().ranks());
    }
}
