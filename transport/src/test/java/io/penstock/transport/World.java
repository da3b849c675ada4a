package io.penstock.transport;

import io.penstock.transport.driver.DriverHost;
import io.penstock.transport.driver.DriverSettings;
import io.penstock.transport.driver.StreamBudget;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** Ranks in one JVM over one path, for tests. */
final class World implements AutoCloseable {
    enum Path {
        MEMORY,
        IPC,
        /** As where the kernel does not let processes reach each other's memory. */
        IPC_APART,
        UDP
    }

    interface RankBody {
        void run(Endpoint endpoint) throws Exception;
    }

    interface PathBody {
        void run(Path path) throws Exception;
    }

    /** Through the slab, or shared memory that the receiver alone copies. */
    static final AeronSettings APART = AeronSettings.DEFAULT
            .withPath(AeronSettings.Path.IPC)
            .withIpc(IpcSettings.DEFAULT.withCrossFromBytes(IpcSettings.NEVER));

    private static final long LIMIT_S = 60;
    private final List<Endpoint> endpoints = new ArrayList<>();
    private final @Nullable DriverHost driver;

    World(Path path, int worldSize, EndpointSettings settings) {
        if (path == Path.MEMORY) {
            driver = null;
            InMemoryFabric fabric = new InMemoryFabric(worldSize, settings);
            for (int rank = 0; rank < worldSize; rank++) {
                endpoints.add(fabric.endpoint(rank));
            }
            return;
        }
        driver = startDriver(worldSize);
        Membership membership = membership(worldSize, driver);
        AeronSettings aeron = aeron(path);
        for (int rank = 0; rank < worldSize; rank++) {
            endpoints.add(AeronEndpoint.open(membership, rank, aeron, settings));
        }
    }

    private static AeronSettings aeron(Path path) {
        return switch (path) {
            case MEMORY -> throw new IllegalArgumentException("memory is not Aeron's");
            case IPC -> AeronSettings.DEFAULT.withPath(AeronSettings.Path.IPC);
            case IPC_APART -> APART;
            case UDP -> AeronSettings.DEFAULT.withPath(AeronSettings.Path.UDP);
        };
    }

    /** Over Aeron with settings of its own. */
    World(int worldSize, AeronSettings aeron, EndpointSettings settings) {
        driver = startDriver(worldSize);
        Membership membership = membership(worldSize, driver);
        for (int rank = 0; rank < worldSize; rank++) {
            endpoints.add(AeronEndpoint.open(membership, rank, aeron, settings));
        }
    }

    /** On all paths at once, for what waits for seconds and computes next to nothing. */
    static void onEveryPath(PathBody body) throws InterruptedException {
        try (ExecutorService threads = Executors.newCachedThreadPool()) {
            Map<Path, Future<?>> runs = new EnumMap<>(Path.class);
            for (Path path : Path.values()) {
                Callable<@Nullable Void> run = () -> {
                    body.run(path);
                    return null;
                };
                runs.put(path, threads.submit(run));
            }
            for (Map.Entry<Path, Future<?>> run : runs.entrySet()) {
                try {
                    run.getValue().get();
                } catch (ExecutionException e) {
                    throw new AssertionError("on path " + run.getKey(), e.getCause());
                }
            }
        }
    }

    static DriverHost startDriver(int worldSize) {
        long needed = new StreamBudget(worldSize, worldSize, true).bytes(AeronSettings.DEFAULT);
        return DriverHost.start(
                new DriverSettings(DriverSettings.SHARED_MEMORY, "test", needed, UdpSettings.DEFAULT.windowBytes()));
    }

    static Membership membership(int worldSize, DriverHost driver) {
        List<Member> members = new ArrayList<>();
        for (int rank = 0; rank < worldSize; rank++) {
            String udp = Machine.freeUdpEndpoint(InetAddress.getLoopbackAddress());
            members.add(Member.local(rank, udp, driver.directory().toString(), ""));
        }
        return new Membership(0x1234_5678_9ABCL, 1, members);
    }

    /** What the parts of an endpoint share, for tests of such parts. */
    static AgentContext context(Membership membership, int rank) {
        return new AgentContext(
                rank,
                membership.job(),
                membership.epoch(),
                EndpointSettings.DEFAULT,
                new EndpointCounters(membership.worldSize()),
                new FailureBoard(1),
                null);
    }

    Endpoint endpoint(int rank) {
        return endpoints.get(rank);
    }

    /** Runs the body for every rank at once, in threads, and throws what the first of them threw. */
    void run(RankBody body) throws Exception {
        List<FutureTask<@Nullable Void>> tasks = new ArrayList<>();
        for (Endpoint endpoint : endpoints) {
            FutureTask<@Nullable Void> task = new FutureTask<>(() -> {
                body.run(endpoint);
                return null;
            });
            tasks.add(task);
            Thread.ofPlatform().name("rank-" + endpoint.rank()).daemon().start(task);
        }
        for (FutureTask<@Nullable Void> task : tasks) {
            try {
                task.get(LIMIT_S, TimeUnit.SECONDS);
            } catch (ExecutionException e) {
                if (e.getCause() instanceof Exception cause) {
                    throw cause;
                }
                throw new AssertionError(e.getCause());
            } catch (TimeoutException e) {
                throw new AssertionError("rank " + tasks.indexOf(task) + " is not done after " + LIMIT_S + " s", e);
            }
        }
    }

    @Override
    public void close() {
        for (Endpoint endpoint : endpoints) {
            endpoint.announceDone();
        }
        for (Endpoint endpoint : endpoints) {
            endpoint.close();
        }
        if (driver != null) {
            driver.close();
        }
    }

    /** Memory that peers of the same machine can read, where the path has such. */
    static MemorySegment readable(Endpoint endpoint, long bytes, Arena arena) {
        return endpoint.allocate(bytes).orElseGet(() -> arena.allocate(bytes, 64));
    }
}
