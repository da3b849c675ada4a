package io.penstock.engine.planning;

import io.penstock.engine.config.ClusterConfig;
import io.penstock.engine.config.Launch;
import io.penstock.engine.device.Devices;
import io.penstock.engine.device.RankWire;
import io.penstock.tensor.Backend;
import io.penstock.tensor.DType;
import io.penstock.tensor.DeviceMemory;
import io.penstock.transport.Endpoint;
import io.penstock.transport.EndpointSettings;
import io.penstock.transport.InMemoryFabric;
import io.penstock.transport.Kind;
import io.penstock.transport.Tag;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Times messages: on cores by copies of memory, on GPUs between two ranks, there and back, many times, until the devices are done. From device to device where ranks are threads that
 * send through memory, else through the host, whose part of the way is a copy in this process.
 */
final class LinkProbe {
    private static final long SMALL_BYTES = 4 << 10;
    private static final long LARGE_BYTES = 32L << 20;
    private static final int SMALL_ROUNDS = 100;
    private static final int LARGE_ROUNDS = 6;
    private static final int COPIES = 8;
    /** Between ranks on cores, which is guessed. */
    private static final double CORE_SECONDS = 50e-6;

    private static final Tag TAG = new Tag(Kind.ACTIVATION, 0);

    /**
     * @param seconds a message beside its bytes
     * @param bytesPerSecond of a large one
     */
    record Measured(double seconds, double bytesPerSecond) {}

    private final Endpoint endpoint;
    private final int peer;
    private final MemorySegment memory;
    private final Runnable finish;
    private int exchanges;

    private LinkProbe(Endpoint endpoint, MemorySegment memory, Runnable finish) {
        this.endpoint = endpoint;
        this.peer = 1 - endpoint.rank();
        this.memory = memory;
        this.finish = finish;
    }

    /** Whether messages of such a run stay on devices. */
    static boolean isDirect(ClusterConfig cluster) {
        return cluster.launch() == Launch.THREADS && cluster.transport().reachesThroughMemory();
    }

    /** {@code ranks}: that send at once, on cores; two on GPUs, which have links of their own. */
    static Measured measure(ClusterConfig cluster, int ranks) {
        return switch (cluster.device()) {
            case CPU -> new Measured(CORE_SECONDS, copies(ranks));
            case CUDA -> {
                InMemoryFabric fabric = new InMemoryFabric(2, EndpointSettings.DEFAULT);
                yield AtOnce.run(2, rank -> () -> rank(cluster, fabric.endpoint(rank)))
                        .getFirst();
            }
        };
    }

    /** Ranks on cores copy their messages themselves, in and out. */
    private static double copies(int ranks) {
        return AtOnce.run(ranks, rank -> LinkProbe::copyBytesPerSecond).stream()
                        .mapToDouble(rate -> rate)
                        .average()
                        .orElseThrow()
                / 2;
    }

    private static double copyBytesPerSecond() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment from = arena.allocate(LARGE_BYTES).fill((byte) 1);
            MemorySegment to = arena.allocate(LARGE_BYTES).fill((byte) 2);
            double best = 0;
            for (int i = 0; i < COPIES; i++) {
                long begin = System.nanoTime();
                MemorySegment.copy(from, 0, to, 0, LARGE_BYTES);
                best = Math.max(best, LARGE_BYTES * 1e9 / (System.nanoTime() - begin));
            }
            return best;
        }
    }

    private static Measured rank(ClusterConfig cluster, Endpoint host) {
        try (host;
                // of a GPU, and computes nothing: any type will do
                Backend backend = Devices.open(cluster, host.rank(), DType.F32);
                DeviceMemory memory = backend.allocate(LARGE_BYTES);
                RankWire wire = isDirect(cluster) ? new RankWire(host, backend) : RankWire.staged(host, backend)) {
            Runnable finish = () -> backend.copies().orElseThrow().finish();
            Measured measured = new LinkProbe(wire.tensors(), memory.segment(), finish).measured();
            host.announceDone();
            return measured;
        }
    }

    private Measured measured() {
        exchange(LARGE_BYTES, 1);
        exchange(SMALL_BYTES, SMALL_ROUNDS);
        double small = exchange(SMALL_BYTES, SMALL_ROUNDS);
        double large = exchange(LARGE_BYTES, LARGE_ROUNDS);
        return new Measured(small, LARGE_BYTES / Math.max(large - small, large / 2));
    }

    /** Seconds a message. */
    private double exchange(long bytes, int rounds) {
        MemorySegment message = memory.asSlice(0, bytes);
        exchanges++;
        long begin = System.nanoTime();
        for (int round = 0; round < rounds; round++) {
            if (peer == 1) {
                send(message, round);
            }
            endpoint.await(endpoint.receive(peer, TAG, exchanges, round, message));
            if (peer == 0) {
                send(message, round);
            }
        }
        finish.run();
        return (System.nanoTime() - begin) * 1e-9 / (2 * rounds);
    }

    private void send(MemorySegment message, int round) {
        endpoint.await(endpoint.send(peer, TAG, exchanges, round, message));
    }
}
