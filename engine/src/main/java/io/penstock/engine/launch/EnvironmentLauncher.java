package io.penstock.engine.launch;

import io.penstock.engine.config.Config;
import io.penstock.engine.training.StepListener;
import io.penstock.transport.Endpoint;
import io.penstock.transport.driver.DriverHost;
import io.penstock.transport.rendezvous.JobToken;
import io.penstock.transport.rendezvous.RendezvousException;
import io.penstock.transport.rendezvous.RendezvousServer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Map;

/** This process is one rank of a run that an outside launcher started everywhere; rank 0 gathers. Each process has a media driver of its own. */
final class EnvironmentLauncher implements Launcher {
    private final Map<String, String> variables;

    EnvironmentLauncher(Map<String, String> variables) {
        this.variables = variables;
    }

    static Environment environment(Map<String, String> variables, Config config) {
        try {
            JobToken ignored = JobToken.fromEnvironment(variables);
        } catch (RendezvousException e) {
            throw new EnvironmentException("launch: environment: " + e.getMessage());
        }
        return Environment.of(
                variables,
                config.layout().ranks(),
                config.cluster().master().address(),
                config.cluster().master().port());
    }

    @Override
    public void run(Job job, StepListener listener) {
        Environment environment = environment(variables, job.config());
        JobToken token = JobToken.fromEnvironment(variables);
        InetSocketAddress master =
                new InetSocketAddress(Joining.address(environment.masterAddress()), environment.masterPort());
        InetAddress bind = Joining.towards(master);
        try (DriverHost driver = Launcher.startDriver(job, job.ranks())) {
            if (environment.rank() == 0) {
                try (RendezvousServer server = Joining.gather(job, master, token)) {
                    RankBody.run(job, join(job, 0, server.address(), bind, driver, token), listener);
                }
            } else {
                RankBody.run(job, join(job, environment.rank(), master, bind, driver, token), listener);
            }
        }
    }

    private static Endpoint join(
            Job job, int rank, InetSocketAddress master, InetAddress bind, DriverHost driver, JobToken token) {
        return Joining.join(job, rank, master, bind, driver.directory().toString(), token);
    }
}
