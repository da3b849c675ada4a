package io.penstock.engine.launch;

import io.penstock.engine.run.Terminal;
import io.penstock.engine.training.StepListener;
import io.penstock.transport.driver.DriverHost;
import io.penstock.transport.rendezvous.JobToken;
import io.penstock.transport.rendezvous.RendezvousServer;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * A process a rank on this machine, over one media driver that the launcher hosts. Rank 0 writes to the launcher's output, the others to their logs. When a rank
 * fails, the others learn it from the transport and end by themselves; who does not is killed.
 */
final class ProcessLauncher implements Launcher {
    /** Hidden command of the command line that runs {@link RankProcess}. */
    static final String RANK_COMMAND = "rank";

    static final String MAIN_CLASS = "io.penstock.engine.cli.Main";
    private static final long POLL_MS = 50;
    private static final long GRACE_NS = TimeUnit.SECONDS.toNanos(10);

    @Override
    public void run(Job job, StepListener listener) {
        List<Process> ranks = new ArrayList<>();
        Thread atExit = Thread.ofPlatform().unstarted(() -> ranks.forEach(Process::destroy));
        Runtime.getRuntime().addShutdownHook(atExit);
        JobToken token = JobToken.random();
        InetSocketAddress anyPort = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
        try (DriverHost driver = Launcher.startDriver(job, job.ranks());
                RendezvousServer server = Joining.gather(job, anyPort, token)) {
            for (int rank = 0; rank < job.ranks(); rank++) {
                Map<String, String> variables = RankProcess.variables(
                        job, rank, server.address(), driver.directory(), token, Terminal.present());
                ranks.add(start(job, rank, variables));
            }
            watch(job, ranks);
        } finally {
            ranks.forEach(Process::destroyForcibly);
            removeHook(atExit);
        }
    }

    private static void removeHook(Thread hook) {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // The JVM is going down: the hook runs.
        }
    }

    private static Process start(Job job, int rank, Map<String, String> variables) {
        List<String> command = new ArrayList<>();
        command.add(System.getProperty("java.home") + File.separator + "bin" + File.separator + "java");
        ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                .filter(argument -> !argument.startsWith("-agentlib") && !argument.startsWith("-javaagent"))
                .forEach(command::add);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), MAIN_CLASS, RANK_COMMAND));
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().putAll(variables);
        builder.redirectError(
                ProcessBuilder.Redirect.appendTo(job.directory().errors(rank).toFile()));
        if (rank == 0) {
            builder.redirectOutput(ProcessBuilder.Redirect.INHERIT);
        } else {
            builder.redirectOutput(ProcessBuilder.Redirect.appendTo(
                    job.directory().errors(rank).toFile()));
        }
        try {
            return builder.start();
        } catch (IOException e) {
            throw new UncheckedIOException("rank " + rank + " does not start", e);
        }
    }

    private static void watch(Job job, List<Process> ranks) {
        int first = -1;
        long failedNs = 0;
        while (ranks.stream().anyMatch(Process::isAlive)) {
            for (int rank = 0; rank < ranks.size() && first < 0; rank++) {
                if (!ranks.get(rank).isAlive() && ranks.get(rank).exitValue() != 0) {
                    first = rank;
                    failedNs = System.nanoTime();
                }
            }
            long limitNs = job.config().cluster().failureTimeoutNs() + GRACE_NS;
            if (first >= 0 && System.nanoTime() - failedNs > limitNs) {
                ranks.forEach(Process::destroyForcibly);
            }
            pause(ranks);
        }
        RankFailures.throwIfAny(job, ranks.stream().map(Process::exitValue).toList(), first);
    }

    private static void pause(List<Process> ranks) {
        try {
            for (Process process : ranks) {
                if (process.isAlive()) {
                    process.waitFor(POLL_MS, TimeUnit.MILLISECONDS);
                    return;
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while ranks train", e);
        }
    }
}
