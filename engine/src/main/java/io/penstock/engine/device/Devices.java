package io.penstock.engine.device;

import io.penstock.engine.config.ClusterConfig;
import io.penstock.engine.config.Config;
import io.penstock.engine.config.DeviceKind;
import io.penstock.engine.config.Launch;
import io.penstock.tensor.Backend;
import io.penstock.tensor.DType;
import io.penstock.tensor.cpu.CpuBackend;
import io.penstock.tensor.cuda.CudaBackend;
import io.penstock.tensor.cuda.CudaProbe;
import io.penstock.tensor.cuda.CudaUnavailableException;
import java.util.Set;

/** Kinds of devices: whether this machine can train on one, what its backend holds, and the backend of a rank. */
public final class Devices {
    /** Of a GPU's memory that ranks may have; contexts and libraries take some too. */
    private static final double USABLE = 0.95;

    private static final String KEY = "cluster.device: cuda";

    private Devices() {}

    /** Of a configuration. */
    public static void require(DeviceKind device) {
        require(device, KEY);
    }

    /**
     * Asks whether the machine has a device.
     *
     * @param asked the words that ask for it
     * @throws CudaUnavailableException with what is missing and its mend: exit code 3
     */
    public static void require(DeviceKind device, String asked) {
        switch (device) {
            case CPU -> {}
            case CUDA -> cuda(asked);
        }
    }

    public static boolean has(DeviceKind device) {
        return switch (device) {
            case CPU -> true;
            case CUDA -> CudaProbe.report().problem().isEmpty();
        };
    }

    /** The first device of a kind, which is there, with all that it has: for one who computes alone, in {@code compute}: the type whose loops a CPU has ready. */
    public static Backend openAlone(DeviceKind device, DType compute) {
        return switch (device) {
            case CPU -> new CpuBackend(Runtime.getRuntime().availableProcessors(), Set.of(compute));
            case CUDA -> CudaBackend.open(0);
        };
    }

    /** What is there, of a machine that has a usable GPU. */
    private static CudaProbe.Report cuda(String asked) {
        CudaProbe.Report report = CudaProbe.report();
        report.problem().ifPresent(problem -> {
            throw new CudaUnavailableException(
                    asked + " cannot be used here: " + problem + " (penstock doctor shows all that was looked for)");
        });
        return report;
    }

    /** The backend of a rank: rank r computes on device r mod the devices that the process sees, several ranks may on one. {@code compute}: the type whose loops a CPU has ready. */
    public static Backend open(ClusterConfig cluster, int rank, DType compute) {
        return switch (cluster.device()) {
            case CPU -> new CpuBackend(cluster.threadsPerRank(), Set.of(compute));
            case CUDA -> CudaBackend.open(rank % cuda(KEY).devices().size());
        };
    }

    /** What a rank's backend holds for its kernels; opens none. */
    public static long workspaceBytes(ClusterConfig cluster) {
        return switch (cluster.device()) {
            case CPU -> CpuBackend.workspaceBytes(cluster.threadsPerRank());
            case CUDA -> CudaBackend.WORKSPACE_BYTES;
        };
    }

    /** How many ranks of this machine can compute at once without sharing a GPU, or a core; one where there is none. */
    public static int ranksAtOnce(ClusterConfig cluster) {
        return switch (cluster.device()) {
            case CPU -> Math.max(1, Runtime.getRuntime().availableProcessors() / cluster.threadsPerRank());
            case CUDA -> Math.max(1, CudaProbe.report().devices().size());
        };
    }

    /** Bytes that a rank of the run may have of its GPU: the least of the devices, shared by the ranks that the fullest has. Of an outside launcher, each has one for itself. */
    public static long memoryPerRank(Config config) {
        CudaProbe.Report report = cuda(KEY);
        long least = (long) (USABLE
                * report.devices().stream()
                        .mapToLong(CudaProbe.Device::memoryBytes)
                        .min()
                        .orElseThrow());
        boolean alone = config.cluster().launch() == Launch.ENVIRONMENT;
        return alone
                ? least
                : least / Math.ceilDiv(config.layout().ranks(), report.devices().size());
    }
}
