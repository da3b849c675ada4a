package io.penstock.jmh.transport;

import io.penstock.transport.AeronEndpoint;
import io.penstock.transport.AeronSettings;
import io.penstock.transport.Endpoint;
import io.penstock.transport.EndpointSettings;
import io.penstock.transport.Machine;
import io.penstock.transport.Member;
import io.penstock.transport.Membership;
import io.penstock.transport.driver.DriverHost;
import io.penstock.transport.driver.DriverSettings;
import io.penstock.transport.driver.StreamBudget;
import java.io.Closeable;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** All wires between this process and its child, open at once and idle unless measured. */
final class Wires implements AutoCloseable {
    static final String SLAB = "penstock ipc, slab";
    static final String SHARED = "penstock ipc, shared memory";
    static final String PLAIN = "penstock ipc, log";
    static final String UDP = "penstock udp";
    static final String NIO = "nio tcp";
    static final String NETTY = "netty nio";
    static final String AERON = "aeron ipc, spinning";

    private static final long MAX_BYTES = 64 << 20;

    private final Map<String, Wire> byName = new LinkedHashMap<>();
    private final List<Closeable> owned = new ArrayList<>();

    private Wires() {}

    /** Starts a driver, the child with the main class and arguments, and opens this end of every wire. */
    static Wires host(Class<?> childMain, String... arguments) throws Exception {
        Wires wires = new Wires();
        DriverHost driver = DriverHost.start(new DriverSettings(
                DriverSettings.SHARED_MEMORY,
                "bench",
                2 * new StreamBudget(8, 2, false).bytes(AeronSettings.DEFAULT),
                AeronSettings.DEFAULT.udpWindowBytes()));
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
        int slots = Integer.getInteger("penstock.bench.slots", usual.slabSlots());
        int slotBytes = Integer.getInteger("penstock.bench.slot.bytes", usual.slabSlotBytes());
        AeronSettings ipc = usual.withPath(AeronSettings.Path.IPC).withSlab(slots, slotBytes, usual.slabFromBytes());
        AeronSettings log = ipc.withSlab(0, 64, 1).withIpcTermBytes(8 << 20);
        AeronSettings overUdp = usual.withPath(AeronSettings.Path.UDP);
        MemorySegment[] none = {};
        byName.put(SHARED, PenstockWire.sharing(open(rank, 4, ipc, directory, udp, pids), MAX_BYTES));
        byName.put(SLAB, new PenstockWire(open(rank, 1, ipc, directory, udp, pids), none));
        byName.put(PLAIN, new PenstockWire(open(rank, 2, log, directory, udp, pids), none));
        byName.put(UDP, new PenstockWire(open(rank, 3, overUdp, directory, udp, pids), none));
        byName.put(AERON, new AeronWire(directory, rank));
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
