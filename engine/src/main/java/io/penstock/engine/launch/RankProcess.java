package io.penstock.engine.launch;

import io.penstock.engine.config.Config;
import io.penstock.engine.config.ConfigLoader;
import io.penstock.engine.run.RunDirectory;
import io.penstock.engine.training.StepListener;
import io.penstock.transport.Endpoint;
import io.penstock.transport.rendezvous.JobToken;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** One rank in a process that {@link ProcessLauncher} started; it learns who it is from its environment and ends when its launcher does. */
public final class RankProcess {
    private static final String RANK = "RANK";
    private static final String ADDRESS = "MASTER_ADDR";
    private static final String PORT = "MASTER_PORT";
    private static final String DIRECTORY = "PENSTOCK_RUN_DIRECTORY";
    private static final String DRIVER = "PENSTOCK_DRIVER_DIRECTORY";
    private static final String RESUME = "PENSTOCK_RESUME";
    private static final String TERMINAL = "PENSTOCK_TERMINAL";

    private final Job job;
    private final int rank;
    private final InetSocketAddress rendezvous;
    private final String driverDirectory;
    private final JobToken token;
    private final boolean terminal;

    private RankProcess(
            Job job, int rank, InetSocketAddress rendezvous, String driverDirectory, JobToken token, boolean terminal) {
        this.job = job;
        this.rank = rank;
        this.rendezvous = rendezvous;
        this.driverDirectory = driverDirectory;
        this.token = token;
        this.terminal = terminal;
    }

    /** What the launcher tells a rank, as variables. */
    static Map<String, String> variables(
            Job job, int rank, InetSocketAddress rendezvous, Path driverDirectory, JobToken token, boolean terminal) {
        Map<String, String> variables = new LinkedHashMap<>();
        variables.put(RANK, Integer.toString(rank));
        variables.put(ADDRESS, rendezvous.getAddress().getHostAddress());
        variables.put(PORT, Integer.toString(rendezvous.getPort()));
        variables.put(DIRECTORY, job.directory().root().toString());
        variables.put(DRIVER, driverDirectory.toString());
        variables.put(JobToken.VARIABLE, token.forChildEnvironment());
        variables.put(TERMINAL, Boolean.toString(terminal));
        job.resume().ifPresent(path -> variables.put(RESUME, path.toString()));
        return variables;
    }

    /** The rank that {@code variables} describe. */
    public static RankProcess of(Map<String, String> variables) {
        RunDirectory directory = new RunDirectory(Path.of(required(variables, DIRECTORY)));
        Config config = ConfigLoader.load(directory.config(), List.of());
        Optional<Path> resume = Optional.ofNullable(variables.get(RESUME)).map(Path::of);
        return new RankProcess(
                new Job(config, directory, resume),
                Integer.parseInt(required(variables, RANK)),
                new InetSocketAddress(
                        Joining.address(required(variables, ADDRESS)), Integer.parseInt(required(variables, PORT))),
                required(variables, DRIVER),
                JobToken.fromEnvironment(variables),
                Boolean.parseBoolean(required(variables, TERMINAL)));
    }

    private static String required(Map<String, String> variables, String name) {
        String value = variables.get(name);
        if (value == null) {
            throw new EnvironmentException(
                    name + " is not set: this command is for ranks that 'penstock train' starts");
        }
        return value;
    }

    public Job job() {
        return job;
    }

    public int rank() {
        return rank;
    }

    /** Whether rank 0 writes to a terminal. */
    public boolean terminal() {
        return terminal;
    }

    /** Joins and trains. */
    public void run(StepListener listener) {
        Endpoint endpoint =
                Joining.join(job, rank, rendezvous, InetAddress.getLoopbackAddress(), driverDirectory, token);
        RankBody.run(job, endpoint, listener);
    }

    /** Calls {@code gone} when the launcher has died: it holds the other end of this process's standard input. */
    public static void whenLauncherIsGone(Runnable gone) {
        Thread.ofPlatform().daemon().name("penstock-launcher-watch").start(() -> {
            try {
                while (System.in.read() >= 0) {
                    // The launcher writes nothing.
                }
            } catch (IOException e) {
                // A broken pipe says the same as its end.
            }
            gone.run();
        });
    }
}
