package io.penstock.jmh.transport;

import com.sun.management.OperatingSystemMXBean;
import io.penstock.jmh.Standalone;
import io.penstock.transport.AeronEndpoint;
import io.penstock.transport.AeronSettings;
import io.penstock.transport.Endpoint;
import io.penstock.transport.EndpointSettings;
import io.penstock.transport.Kind;
import io.penstock.transport.Machine;
import io.penstock.transport.Member;
import io.penstock.transport.Membership;
import io.penstock.transport.Tag;
import io.penstock.transport.Transfer;
import io.penstock.transport.driver.DriverHost;
import io.penstock.transport.driver.DriverSettings;
import io.penstock.transport.driver.StreamBudget;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;

/**
 * What does waiting cost? A rank that computes on all cores, with another that waits for it: the time of a step and the share of a core
 * that the waiting rank uses, for each way to wait. The process that computes hosts the media driver. And the share of a core that rank
 * and driver use when neither does anything.
 */
public final class IdleBenchmark implements Standalone {
    private static final Tag TAG = new Tag(Kind.GRADIENT, 0);
    private static final int STEPS = 20;
    private static final long IDLE_MILLIS = 3000;
    private static final long REST_MILLIS = 1000;
    private static final long WORK = 20_000_000;
    private static final long FOR_EVER_S = 1000;

    /** How the other rank waits: it yields so long before it sleeps, or it asks for ever without a pause. */
    private enum Way {
        SLEEPS("sleeps at once", 0),
        DEFAULT("default: yields 20 us, then sleeps", TimeUnit.MICROSECONDS.toNanos(20)),
        YIELDS_A_WHILE("yields 1 ms, then sleeps", TimeUnit.MILLISECONDS.toNanos(1)),
        YIELDS("yields for ever", TimeUnit.SECONDS.toNanos(FOR_EVER_S)),
        SPINS("spins", TimeUnit.MICROSECONDS.toNanos(20));

        private final String words;
        private final long yieldNs;

        Way(String words, long yieldNs) {
            this.words = words;
            this.yieldNs = yieldNs;
        }
    }

    @Override
    public void run(int trials) throws Exception {
        Trials steps = new Trials();
        Trials shares = new Trials();
        for (int trial = 0; trial < trials; trial++) {
            alone(steps);
            for (String path : new String[] {"IPC", "UDP"}) {
                for (Way way : Way.values()) {
                    host(path, way, steps, shares);
                }
            }
        }
        steps.print("step of a rank that computes on all cores, milliseconds", 1, "nobody waits", false);
        shares.print("share of a core, %", 0.01, "", false);
    }

    /** The other process: the path, the way it waits, the directory of the driver, two UDP endpoints. */
    static final class Child {
        private Child() {}

        public static void main(String[] arguments) {
            Wires.endWithParent();
            Way way = Way.valueOf(arguments[1]);
            try (Endpoint endpoint = open(1, arguments[0], way, arguments[2], arguments[3], arguments[4])) {
                MemorySegment memory = Arena.global().allocate(64);
                long cpuNs = 0;
                for (int i = 0; i <= STEPS; i++) {
                    if (i == 1) {
                        cpuNs = cpuNs();
                    }
                    Transfer receive = endpoint.receive(0, TAG, i, 0, memory, 0, 8);
                    while (way == Way.SPINS && !endpoint.isDone(receive)) {
                        Thread.onSpinWait();
                    }
                    endpoint.await(receive);
                }
                memory.set(ValueLayout.JAVA_LONG, 0, cpuNs() - cpuNs);
                endpoint.await(endpoint.send(0, TAG, 0, 1, memory, 0, 8));
                if (way == Way.DEFAULT) {
                    // The compilers of both JVMs come to rest, and the other one measures.
                    Thread.sleep(REST_MILLIS + IDLE_MILLIS);
                }
                endpoint.announceDone();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private static long cpuNs() {
        return ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getProcessCpuTime();
    }

    private static void alone(Trials steps) {
        step();
        for (int i = 0; i < STEPS; i++) {
            steps.add("nobody waits", "IPC", step());
        }
    }

    private static void host(String path, Way way, Trials steps, Trials shares) throws Exception {
        AeronSettings aeron = AeronSettings.DEFAULT;
        long bytes = new StreamBudget(2, 2, false).bytes(aeron);
        try (DriverHost driver = DriverHost.start(new DriverSettings(
                DriverSettings.SHARED_MEMORY, "idle", bytes, aeron.udp().windowBytes()))) {
            String[] udp = {freeUdp(), freeUdp()};
            List<String> command = Wires.javaCommand(Child.class);
            command.addAll(List.of(path, way.name(), driver.directory().toString(), udp[0], udp[1]));
            Process child = new ProcessBuilder(command).inheritIO().start();
            try (Endpoint endpoint =
                    open(0, path, Way.DEFAULT, driver.directory().toString(), udp)) {
                MemorySegment memory = Arena.global().allocate(64);
                long startNs = 0;
                for (int i = 0; i <= STEPS; i++) {
                    if (i == 1) {
                        startNs = System.nanoTime();
                    }
                    double millis = step();
                    if (i > 0) {
                        steps.add(way.words, path, millis);
                    }
                    endpoint.await(endpoint.send(1, TAG, i, 0, memory, 0, 8));
                }
                long wallNs = System.nanoTime() - startNs;
                endpoint.await(endpoint.receive(1, TAG, 0, 1, memory, 0, 8));
                double cpuNs = memory.get(ValueLayout.JAVA_LONG, 0);
                shares.add("waits: " + way.words, path, cpuNs / wallNs);
                if (way == Way.DEFAULT) {
                    Thread.sleep(REST_MILLIS);
                    long before = cpuNs();
                    Thread.sleep(IDLE_MILLIS);
                    shares.add("rank and driver, nothing to do", path, (cpuNs() - before) / (IDLE_MILLIS * 1e6));
                }
                endpoint.announceDone();
            }
            child.waitFor();
        }
    }

    private static String freeUdp() {
        return Machine.freeUdpEndpoint(InetAddress.getLoopbackAddress());
    }

    private static Endpoint open(int rank, String path, Way way, String directory, String... udp) {
        List<Member> members = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            long pid = ProcessHandle.current().pid();
            members.add(new Member(i, "localhost", Machine.identity(), pid, udp[i], directory, ""));
        }
        AeronSettings aeron = AeronSettings.DEFAULT.withPath(AeronSettings.Path.valueOf(path));
        EndpointSettings settings = EndpointSettings.DEFAULT.withYield(way.yieldNs, TimeUnit.NANOSECONDS);
        return AeronEndpoint.open(new Membership(12, 1, members), rank, aeron, settings);
    }

    /** Milliseconds of the same work on every core at once. */
    private static double step() {
        long start = System.nanoTime();
        double sum = IntStream.range(0, Runtime.getRuntime().availableProcessors())
                .parallel()
                .mapToDouble(IdleBenchmark::work)
                .sum();
        if (Double.isNaN(sum)) {
            throw new IllegalStateException("the work makes no number");
        }
        return (System.nanoTime() - start) / 1e6;
    }

    private static double work(int seed) {
        double x = 0.5 + 0.1 * seed;
        for (long i = 0; i < WORK; i++) {
            x = Math.fma(x, 0.999_999, 1e-7);
        }
        return x;
    }
}
