package io.penstock.engine.launch;

import io.penstock.engine.config.Config;
import io.penstock.engine.config.Launch;
import io.penstock.engine.execution.Activity;
import io.penstock.engine.training.StepListener;
import io.penstock.transport.AeronSettings;
import io.penstock.transport.EndpointSettings;
import io.penstock.transport.driver.DriverHost;
import io.penstock.transport.driver.DriverSettings;
import io.penstock.transport.driver.StreamBudget;

/** Runs all ranks of a job and returns when they have left. */
public interface Launcher {
    /**
     * Trains. {@code listener} is told of rank 0's steps if that rank runs in this process.
     *
     * @throws io.penstock.transport.PeerLostException if a rank was lost
     * @throws RankFailedException if a rank's process failed; it carries that process's exit code
     */
    void run(Job job, StepListener listener);

    /** As {@code cluster.launch} says. */
    static Launcher of(Config config) {
        return switch (config.cluster().launch()) {
            case THREADS -> new ThreadLauncher();
            case PROCESSES -> new ProcessLauncher();
            case ENVIRONMENT -> new EnvironmentLauncher(System.getenv());
        };
    }

    /** Whether this process tells about the run: all do but the ranks of an outside launcher after the first. */
    static boolean tells(Config config) {
        return config.cluster().launch() != Launch.ENVIRONMENT || rankHere(config) == 0;
    }

    /** The rank that an outside launcher gave this process; throws {@link EnvironmentException} where it gave none. */
    static int rankHere(Config config) {
        return EnvironmentLauncher.environment(System.getenv(), config).rank();
    }

    /** Limits of a rank's endpoint: silence up to {@code cluster.failure_timeout}. */
    static EndpointSettings endpointSettings(Config config) {
        EndpointSettings standard = EndpointSettings.DEFAULT;
        long silence = Math.max(config.cluster().failureTimeoutNs(), 2 * standard.heartbeatNs());
        long probe = Math.min(standard.probeNs(), silence);
        return new EndpointSettings(
                standard.transfers(),
                Math.max(standard.waitLimitNs(), silence),
                Math.min(standard.heartbeatNs(), probe / 2),
                probe,
                silence,
                Math.max(standard.firstContactNs(), config.cluster().joinTimeoutNs()),
                standard.yieldNs(),
                standard.checksum(),
                Activity::words);
    }

    /** The way that {@code cluster.transport} asks for. */
    static AeronSettings aeronSettings(Config config) {
        AeronSettings.Path path = switch (config.cluster().transport()) {
            case AUTO, MEMORY -> AeronSettings.Path.AUTO;
            case AERON_IPC -> AeronSettings.Path.IPC;
            case AERON_UDP -> AeronSettings.Path.UDP;
        };
        return AeronSettings.DEFAULT.withPath(path);
    }

    /** A media driver for {@code ranks} ranks of this machine, with room for the streams of a pipeline. */
    static DriverHost startDriver(Job job, int ranks) {
        AeronSettings aeron = aeronSettings(job.config());
        int perPair = 2;
        StreamBudget budget = new StreamBudget(
                perPair * Math.max(1, ranks - 1) + ranks * Math.max(0, ranks - 1),
                ranks,
                aeron.path() != AeronSettings.Path.UDP);
        return DriverHost.start(new DriverSettings(
                DriverSettings.SHARED_MEMORY,
                job.name(),
                budget.bytes(aeron),
                aeron.udp().windowBytes()));
    }
}
