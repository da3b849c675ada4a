package io.penstock.jmh.transport;

import com.sun.management.OperatingSystemMXBean;
import io.penstock.transport.Endpoint;
import io.penstock.transport.Kind;
import io.penstock.transport.Tag;
import io.penstock.transport.Transfer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.util.Locale;

/**
 * What waiting costs: the share of a core that a process with one rank uses while nothing comes, without and with receives posted and
 * awaited. The driver lives in the host's process, so the host's share is that of rank and driver together.
 *
 * <p>{@code java FLAGS -cp ... io.penstock.jmh.transport.IdleBench [SECONDS]}.
 */
public final class IdleBench {
    private static final Tag TAG = new Tag(Kind.GRADIENT, 0);

    private IdleBench() {}

    /** The other process. */
    static final class Child {
        private Child() {}

        public static void main(String[] arguments) throws Exception {
            measure("a rank", IdleWires.join(arguments), Integer.parseInt(arguments[0]));
        }
    }

    public static void main(String[] arguments) throws Exception {
        String seconds = arguments.length > 0 ? arguments[0] : "5";
        for (String path : new String[] {"IPC", "UDP"}) {
            measure("a rank and the driver", IdleWires.host(Child.class, path, seconds), Integer.parseInt(seconds));
        }
    }

    private static void measure(String who, IdleWires wires, int seconds) throws Exception {
        try (wires) {
            Endpoint endpoint = wires.endpoint();
            int peer = 1 - endpoint.rank();
            MemorySegment memory = Arena.global().allocate(1 << 20);
            // Both have opened all streams, and compiled what they run, before the measurement.
            for (int i = 0; i < 2_000; i++) {
                Transfer receive = endpoint.receive(peer, TAG, 0, i, memory, 0, 1000);
                endpoint.await(endpoint.send(peer, TAG, 0, i, memory, 1000, 1000));
                endpoint.await(receive);
            }
            report(wires.path() + ", " + who + ", nothing posted", seconds, () -> Thread.sleep(seconds * 1000L));
            endpoint.await(endpoint.send(peer, TAG, 1, 0, memory, 0, 8));
            endpoint.await(endpoint.receive(peer, TAG, 1, 0, memory, 0, 8));
            // Waits for a message that the peer's sleeping thread sends when the time is up.
            Transfer receive = endpoint.receive(peer, TAG, 2, 0, memory, 0, 8);
            Thread sender = Thread.ofPlatform().daemon().start(() -> sendLater(endpoint, memory, seconds));
            report(wires.path() + ", " + who + ", awaiting a receive", seconds, () -> endpoint.await(receive));
            sender.join();
            endpoint.announceDone();
        }
    }

    private static void sendLater(Endpoint endpoint, MemorySegment memory, int seconds) {
        try {
            // As long as the other side measures, and the moment before that.
            Thread.sleep(seconds * 1000L + 1000);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        endpoint.await(endpoint.send(1 - endpoint.rank(), TAG, 2, 0, memory, 8, 8));
    }

    private interface Wait {
        void run() throws Exception;
    }

    private static void report(String what, int seconds, Wait wait) throws Exception {
        OperatingSystemMXBean system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        // The compilers of the JVM need a moment to come to rest.
        Thread.sleep(1000);
        long cpu = system.getProcessCpuTime();
        long start = System.nanoTime();
        wait.run();
        double share = (system.getProcessCpuTime() - cpu) / (double) (System.nanoTime() - start);
        System.out.printf(Locale.ROOT, "| %s | %.2f%% of a core over %d s |%n", what, 100 * share, seconds);
    }
}
