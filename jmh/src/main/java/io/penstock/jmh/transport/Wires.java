package io.penstock.jmh.transport;

import io.penstock.transport.AeronEndpoint;
import io.penstock.transport.AeronSettings;
import io.penstock.transport.Endpoint;
import io.penstock.transport.EndpointSettings;
import io.penstock.transport.IpcSettings;
import io.penstock.transport.Machine;
import io.penstock.transport.Member;
import io.penstock.transport.Membership;
import io.penstock.transport.UdpSettings;
import io.penstock.transport.driver.DriverHost;
import io.penstock.transport.driver.DriverSettings;
import io.penstock.transport.driver.StreamBudget;
import java.io.Closeable;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** All wires between this process and its child, open at once and idle unless measured. */
final class Wires implements AutoCloseable {
    /** Messages from shared memory are copied once, others go through the slab. */
    static final String IPC = "Penstock IPC";

    /** Without cross-memory attach: through shared memory and the slab. */
    static final String SLAB = "Penstock IPC, slab";

    static final String PLAIN = "Penstock IPC, log only";
    static final String UDP = "Penstock UDP";
    static final String NIO = "NIO TCP";
    static final String NETTY = "Netty";
    static final String AERON = "Aeron IPC, both spinning";

    private final Map<String, Wire> byName = new LinkedHashMap<>();
    private final List<Closeable> owned = new ArrayList<>();
    private @Nullable Endpoint slabEndpoint;

    private Wires() {}

    /** Starts a driver, the child with the main class and arguments, and opens this end of every wire. */
    static Wires host(Class<?> childMain, String... arguments) throws Exception {
        Wires wires = new Wires();
        DriverHost driver = DriverHost.start(new DriverSettings(
                DriverSettings.SHARED_MEMORY,
                "bench",
                2 * new StreamBudget(8, 2, false).bytes(AeronSettings.DEFAULT),
                UdpSettings.DEFAULT.windowBytes()));
        ServerSocketChannel nio = NioWire.listen();
        NettyWire.Listener netty = NettyWire.listen();
        String[] udp = {freeUdp(), freeUdp()};
        List<String> command = javaCommand(childMain);
        command.addAll(List.of(arguments));
        command.addAll(List.of(
                driver.directory().toString(),
                Integer.toString(nio.socket().getLocalPort()),
                Integer.toString(netty.port()),
                udp[0],
                udp[1]));
        Process child = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .inheritIO()
                .start();
        wires.byName.put(NIO, NioWire.accept(nio));
        wires.byName.put(NETTY, netty.accepted().get());
        wires.openPenstock(
                0, driver.directory().toString(), udp, ProcessHandle.current().pid(), child.pid());
        wires.owned.add(() -> {
            child.onExit().join();
            driver.close();
            nio.close();
        });
        return wires;
    }

    /** The child's end; takes the last five arguments that {@link #host} added. */
    static Wires join(String[] arguments) throws Exception {
        int from = arguments.length - 5;
        Wires wires = new Wires();
        wires.byName.put(NIO, NioWire.connect(Integer.parseInt(arguments[from + 1])));
        wires.byName.put(NETTY, NettyWire.connect(Integer.parseInt(arguments[from + 2])));
        ProcessHandle self = ProcessHandle.current();
        String[] udp = {arguments[from + 3], arguments[from + 4]};
        wires.openPenstock(1, arguments[from], udp, self.parent().orElseThrow().pid(), self.pid());
        return wires;
    }

    private void openPenstock(int rank, String directory, String[] udp, long... pids) {
        AeronSettings usual = AeronSettings.DEFAULT;
        AeronSettings ipc = usual.withPath(AeronSettings.Path.IPC);
        IpcSettings throughSlab = IpcSettings.DEFAULT.withCrossFromBytes(IpcSettings.NEVER);
        AeronSettings slab = ipc.withIpc(throughSlab);
        AeronSettings log = ipc.withIpc(throughSlab.withSlab(0, 64, 1).withTermBytes(8 << 20));
        AeronSettings overUdp = usual.withPath(AeronSettings.Path.UDP);
        byName.put(IPC, new PenstockWire(open(rank, 1, ipc, directory, udp, pids)));
        byName.put(PLAIN, new PenstockWire(open(rank, 2, log, directory, udp, pids)));
        slabEndpoint = open(rank, 4, slab, directory, udp, pids);
        byName.put(SLAB, new PenstockWire(slabEndpoint));
        byName.put(UDP, new PenstockWire(open(rank, 3, overUdp, directory, udp, pids)));
        byName.put(AERON, new AeronWire(directory, rank));
    }

    /** That of the wire {@link #SLAB}. */
    Endpoint slabEndpoint() {
        return Objects.requireNonNull(slabEndpoint);
    }

    private static Endpoint open(
            int rank, long job, AeronSettings settings, String directory, String[] udp, long[] pids) {
        List<Member> members = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            members.add(new Member(i, "localhost", Machine.identity(), pids[i], udp[i], directory, ""));
        }
        Membership membership = new Membership(job, 1, members);
        return AeronEndpoint.open(membership, rank, settings, EndpointSettings.DEFAULT);
    }

    private static String freeUdp() {
        return Machine.freeUdpEndpoint(InetAddress.getLoopbackAddress());
    }

    /** Called by a process that {@link #javaCommand} started: it ends when the one that started it does, however that ends. */
    static void endWithParent() {
        var _ = ProcessHandle.current()
                .parent()
                .map(parent ->
                        parent.onExit().thenRun(() -> Runtime.getRuntime().halt(1)));
    }

    /** This JVM's flags with another main class. */
    static List<String> javaCommand(Class<?> main) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
        return command;
    }

    Wire of(String name) {
        Wire wire = byName.get(name);
        if (wire == null) {
            throw new IllegalArgumentException("no wire " + name + " in " + byName.keySet());
        }
        return wire;
    }

    @Override
    public void close() throws IOException {
        for (Wire wire : byName.values()) {
            wire.close();
        }
        for (Closeable each : owned) {
            each.close();
        }
    }
}
