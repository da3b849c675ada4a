package io.penstock.engine.config;

import io.penstock.engine.config.yaml.Key;
import io.penstock.engine.config.yaml.Ranges;
import java.util.Optional;

/** Section {@code cluster}. */
public record ClusterConfig(
        @Key(
                value =
                        "How ranks start: `threads` of one JVM, `processes` on this machine, or by an outside launcher"
                                + " (`environment`: RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT and their Slurm, MPI and Kubernetes forms).",
                byDefault = "processes")
        Launch launch,

        @Key(value = "Where a rank computes.", byDefault = "cpu")
        DeviceKind device,

        @Key(value = "Threads a rank computes with.", byDefault = "1", min = 1, max = 4096)
        int threadsPerRank,

        @Key(value = "What carries bytes between ranks; `auto` takes the fastest that reaches.", byDefault = "auto")
        TransportKind transport,

        @Key("Most bytes a rank may allocate, such as 4GiB; a plan that needs more is refused.")
        Optional<ByteSize> memoryPerRank,

        @Key(value = "Seconds of silence after which a rank is given up.", byDefault = "5.0", min = 0.1, max = 86400)
        double failureTimeout,

        @Key(value = "Seconds that ranks wait for each other at the start.", byDefault = "60.0", min = 0.1, max = 86400)
        double joinTimeout,

        @Key("Where ranks meet.") MasterConfig master,

        @Key("Where states lie that `parallelism.offload` takes out of device memory.")
        OffloadStoreConfig offloadStore) {
    public ClusterConfig {
        Ranges.check(
                ClusterConfig.class,
                launch,
                device,
                threadsPerRank,
                transport,
                memoryPerRank,
                failureTimeout,
                joinTimeout,
                master,
                offloadStore);
    }

    ClusterConfig offloadingToHost() {
        return new ClusterConfig(
                launch,
                device,
                threadsPerRank,
                transport,
                memoryPerRank,
                failureTimeout,
                joinTimeout,
                master,
                new OffloadStoreConfig(OffloadStoreKind.HOST, offloadStore.directory()));
    }

    public long failureTimeoutNs() {
        return (long) (failureTimeout * 1e9);
    }

    public long joinTimeoutNs() {
        return (long) (joinTimeout * 1e9);
    }
}
