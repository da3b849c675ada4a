package io.penstock.jmh.transport;

import io.penstock.jmh.Standalone;
import io.penstock.transport.AeronEndpoint;
import io.penstock.transport.AeronSettings;
import io.penstock.transport.Endpoint;
import io.penstock.transport.EndpointSettings;
import io.penstock.transport.Member;
import io.penstock.transport.Membership;
import io.penstock.transport.UdpSettings;
import io.penstock.transport.driver.DriverHost;
import io.penstock.transport.driver.DriverSettings;
import io.penstock.transport.driver.StreamBudget;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * How fast do messages go between two machines? Penstock over Aeron UDP, beside TCP and plain UDP, which loses what it likes: on loopback,
 * and between two network namespaces that a cable with packets of 1500 or 9000 bytes connects; with packets that fit, and with the largest,
 * which the kernel cuts up. Each process has a media driver of its own.
 */
public final class NetworkBenchmark implements Standalone {
    private static final int PORT = 42_700;
    private static final long[] SIZES = {1 << 20, 16 << 20};
    private static final long DATAGRAM_BYTES = 512L << 20;
    private static final int UDP_HEADERS = 28;

    @Override
    public void run(int trials) throws Exception {
        ranks("loopback", "127.0.0.1", "127.0.0.1", "65504", trials, List.of(), List.of());
        for (int cable : new int[] {1500, 9000}) {
            try (Namespaces two = Namespaces.create(cable)) {
                String where = "two namespaces, cable of " + cable + " bytes";
                String mtus = (cable - UDP_HEADERS) / 32 * 32 + ",65504";
                ranks(where, two.address(0), two.address(1), mtus, trials, two.prefix(0), two.prefix(1));
            } catch (IOException e) {
                System.out.println("no measurement between namespaces (needs root and ip): " + e.getMessage());
            }
        }
    }

    private static void ranks(
            String where, String first, String second, String mtus, int trials, List<String> in0, List<String> in1)
            throws Exception {
        List<Process> processes = new ArrayList<>();
        try {
            for (int rank = 0; rank < 2; rank++) {
                List<String> command = new ArrayList<>(rank == 0 ? in0 : in1);
                command.addAll(Wires.javaCommand(Rank.class));
                command.addAll(List.of("" + rank, where, first, second, mtus, "" + trials));
                processes.add(new ProcessBuilder(command).inheritIO().start());
            }
            for (Process process : processes) {
                if (process.waitFor() != 0) {
                    throw new IOException("a process ended with " + process.exitValue());
                }
            }
        } finally {
            processes.forEach(Process::destroyForcibly);
        }
    }

    /** One process: its rank, where it is, both addresses, sizes of packets, the trials. Rank 0 receives and reports. */
    static final class Rank {
        private final boolean isReceiver;
        private Trials table = new Trials();
        private final MemorySegment[] buffers = {
            Arena.global().allocate(16 << 20), Arena.global().allocate(16 << 20)
        };

        private Rank(boolean isReceiver) {
            this.isReceiver = isReceiver;
        }

        public static void main(String[] arguments) throws Exception {
            Wires.endWithParent();
            int rank = Integer.parseInt(arguments[0]);
            String[] addresses = {arguments[2], arguments[3]};
            int[] mtus = Arrays.stream(arguments[4].split(",", -1))
                    .mapToInt(Integer::parseInt)
                    .toArray();
            long bytes = mtus.length * new StreamBudget(4, 2, false).bytes(AeronSettings.DEFAULT);
            int window = UdpSettings.DEFAULT.windowBytes();
            List<Endpoint> endpoints = new ArrayList<>();
            try (DriverHost driver = DriverHost.start(
                            new DriverSettings(DriverSettings.SHARED_MEMORY, "network" + rank, bytes, window));
                    NioWire tcp = tcp(rank, addresses[0]);
                    DatagramWire udp = DatagramWire.open(
                            new InetSocketAddress(addresses[rank], PORT + 10 + rank),
                            new InetSocketAddress(addresses[1 - rank], PORT + 11 - rank),
                            mtus[0])) {
                for (int mtu : mtus) {
                    endpoints.add(open(rank, addresses, driver.directory().toString(), mtu, endpoints.size()));
                }
                Rank self = new Rank(rank == 0);
                Rounds rounds = new Rounds(tcp, self.isReceiver);
                for (int trial = 0; trial <= Integer.parseInt(arguments[5]); trial++) {
                    // What is compiled in the first one is not compiled in the others.
                    self.table = trial == 1 ? new Trials() : self.table;
                    for (long size : SIZES) {
                        self.stream("NIO TCP", tcp, rounds, size);
                        for (int i = 0; i < mtus.length; i++) {
                            Wire wire = new PenstockWire(endpoints.get(i));
                            self.stream("Penstock UDP, packets of " + mtus[i], wire, rounds, size);
                        }
                    }
                    self.datagrams("NIO UDP, datagrams of " + mtus[0], udp, tcp);
                }
                if (self.isReceiver) {
                    self.table.print(arguments[1] + ", GB/s (times TCP)", 1e9, "NIO TCP", true);
                }
                endpoints.forEach(Endpoint::announceDone);
                endpoints.forEach(Endpoint::close);
            }
        }

        private static Endpoint open(int rank, String[] addresses, String directory, int mtu, int number) {
            UdpSettings usual = UdpSettings.DEFAULT;
            AeronSettings aeron = AeronSettings.DEFAULT
                    .withPath(AeronSettings.Path.UDP)
                    .withUdp(new UdpSettings(usual.termBytes(), mtu, usual.windowBytes()));
            List<Member> members = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                String endpoint = addresses[i] + ":" + (PORT + 20 + 2 * number + i);
                members.add(new Member(i, addresses[i], "machine" + i, 1, endpoint, i == rank ? directory : "", ""));
            }
            return AeronEndpoint.open(new Membership(13 + number, 1, members), rank, aeron, EndpointSettings.DEFAULT);
        }

        private static NioWire tcp(int rank, String address) throws IOException, InterruptedException {
            InetSocketAddress at = new InetSocketAddress(address, PORT);
            if (rank == 0) {
                try (ServerSocketChannel server = ServerSocketChannel.open()
                        .setOption(StandardSocketOptions.SO_RCVBUF, NioWire.SOCKET_BYTES)
                        .bind(at)) {
                    return NioWire.tuned(server.accept());
                }
            }
            while (true) {
                try {
                    return NioWire.tuned(SocketChannel.open(at));
                } catch (ConnectException e) {
                    Thread.sleep(50);
                }
            }
        }

        private void stream(String row, Wire wire, Rounds rounds, long size) throws Exception {
            Rounds.Round round = rounds.run(
                    buffers.length,
                    isReceiver
                            ? count -> wire.receive(buffers, size, count)
                            : count -> wire.send(buffers, size, count));
            if (isReceiver) {
                table.add(row, (size >> 20) + " MiB", size * (double) round.count() / round.ns() * 1e9);
            }
        }

        private void datagrams(String row, DatagramWire wire, NioWire sync) throws Exception {
            meet(sync);
            if (!isReceiver) {
                wire.send(buffers[0], DATAGRAM_BYTES);
                sync.send(buffers, 8, 1);
                return;
            }
            DatagramWire.Arrival arrival = wire.receive(buffers[0], DATAGRAM_BYTES);
            // Until all are sent: a closed socket would be an error at the sender.
            sync.receive(buffers, 8, 1);
            table.add(row, "1 MiB", arrival.bytesPerSecond());
            System.out.println(row + ": " + Math.round(100 * arrival.lostShare()) + "% lost");
        }

        private void meet(NioWire sync) throws IOException {
            MemorySegment[] word = {buffers[0]};
            if (isReceiver) {
                sync.send(word, 8, 1);
            } else {
                sync.receive(word, 8, 1);
            }
        }
    }
}
