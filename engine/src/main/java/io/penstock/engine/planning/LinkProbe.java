package io.penstock.engine.planning;

import io.penstock.engine.config.ClusterConfig;
import io.penstock.engine.config.Launch;
import io.penstock.engine.config.TransportKind;
import io.penstock.engine.device.Devices;
import io.penstock.engine.device.RankWire;
import io.penstock.tensor.Backend;
import io.penstock.tensor.DeviceMemory;
import io.penstock.transport.Endpoint;
import io.penstock.transport.EndpointSettings;
import io.penstock.transport.InMemoryFabric;
import io.penstock.transport.Kind;
import io.penstock.transport.Tag;
import java.lang.foreign.MemorySegment;

/**
 * Times messages between two ranks whose tensors the host does not address: there and back, many times, until the devices are done. From device to device where ranks are threads that
 * send through memory, else through the host, whose part of the way is a copy in this process.
 */
final class LinkProbe {
    private static final long SMALL_BYTES = 4 << 10;
    private static final long LARGE_BYTES = 32L << 20;
    private static final int SMALL_ROUNDS = 100;
    private static final int LARGE_ROUNDS = 6;
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
        return cluster.launch() == Launch.THREADS
                && (cluster.transport() == TransportKind.AUTO || cluster.transport() == TransportKind.MEMORY);
    }

    static Measured measure(ClusterConfig cluster) {
        InMemoryFabric fabric = new InMemoryFabric(2, EndpointSettings.DEFAULT);
        return AtOnce.run(2, rank -> () -> rank(cluster, fabric.endpoint(rank))).getFirst();
    }

    private static Measured rank(ClusterConfig cluster, Endpoint host) {
        try (host;
                Backend backend = Devices.open(cluster, host.rank());
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
