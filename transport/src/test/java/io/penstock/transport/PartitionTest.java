package io.penstock.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.penstock.transport.driver.DriverHost;
import io.penstock.transport.driver.DriverSettings;
import java.io.BufferedReader;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Two hosts, played by network namespaces with a cable between them that is pulled and put back, or a firewall that swallows packets for
 * a while. Needs root, {@code ip} and {@code nft}. Less than the silence limit is no failure; after longer each rank names the other.
 */
@Tag("slow")
@Timeout(value = 180, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class PartitionTest {
    private static final io.penstock.transport.Tag TAG = new io.penstock.transport.Tag(Kind.ACTIVATION, 0);
    private static final String ADDRESS = "10.213.77.";
    private static final int PORT = 41_500;

    /** One of two ranks: plays ping-pong until the number of rounds is done or the other is lost, and prints which. */
    static final class Rank {
        public static void main(String[] args) throws Exception {
            int rank = Integer.parseInt(args[0]);
            int rounds = Integer.parseInt(args[2]);
            DriverSettings settings = new DriverSettings(Path.of(args[1]), "rank" + rank, 0, 1 << 20);
            try (DriverHost driver = DriverHost.start(settings);
                    Arena arena = Arena.ofShared()) {
                List<Member> members = new ArrayList<>();
                for (int i = 0; i < 2; i++) {
                    String directory = i == rank ? driver.directory().toString() : "";
                    String udp = ADDRESS + (i + 1) + ":" + PORT;
                    members.add(new Member(i, "host" + i, "machine" + i, 1, udp, directory, ""));
                }
                AeronSettings aeron = AeronSettings.DEFAULT
                        .withPath(AeronSettings.Path.UDP)
                        .withUdp(new UdpSettings(1 << 20, 1408, 256 << 10));
                try (Endpoint endpoint =
                        AeronEndpoint.open(new Membership(5, 1, members), rank, aeron, EndpointSettings.DEFAULT)) {
                    System.out.println(play(endpoint, arena.allocate(100_000), rounds));
                }
            }
        }

        private static String play(Endpoint endpoint, MemorySegment memory, int rounds) throws InterruptedException {
            int peer = 1 - endpoint.rank();
            try {
                for (int i = 0; i < rounds; i++) {
                    Transfer receive = endpoint.receive(peer, TAG, i, 0, memory, 0, 50_000);
                    endpoint.await(endpoint.send(peer, TAG, i, 0, memory, 50_000, 50_000));
                    endpoint.await(receive);
                    if (i == 0) {
                        System.out.println("connected");
                    }
                    Thread.sleep(2);
                }
                endpoint.announceDone();
                return "done";
            } catch (PeerLostException e) {
                return "lost " + e.rank();
            }
        }
    }

    private static int run(String... command) throws InterruptedException {
        try {
            return new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start()
                    .waitFor();
        } catch (IOException e) {
            return 127;
        }
    }

    private static String space(int rank) {
        return "penstock-" + ProcessHandle.current().pid() + "-" + rank;
    }

    private static void connect() throws InterruptedException {
        for (int rank = 0; rank < 2; rank++) {
            int status = run("ip", "netns", "add", space(rank));
            assumeTrue(status == 0, "not allowed to make a network namespace: ip ended with " + status);
        }
        int status = run(
                "ip", "link", "add", "cable", "netns", space(0), "type", "veth", "peer", "name", "cable", "netns",
                space(1));
        assumeTrue(status == 0, "no veth here: ip ended with " + status);
        for (int rank = 0; rank < 2; rank++) {
            String own = ADDRESS + (rank + 1) + "/24";
            assertEquals(0, run("ip", "-n", space(rank), "addr", "add", own, "dev", "cable"));
            assertEquals(0, run("ip", "-n", space(rank), "link", "set", "cable", "up"));
            assertEquals(0, run("ip", "-n", space(rank), "link", "set", "lo", "up"));
        }
    }

    /** What separates the hosts. */
    enum Cut {
        CABLE {
            @Override
            void make() throws InterruptedException {
                assertEquals(0, PartitionTest.run("ip", "-n", space(0), "link", "set", "cable", "down"));
            }

            @Override
            void mend() throws InterruptedException {
                assertEquals(0, PartitionTest.run("ip", "-n", space(0), "link", "set", "cable", "up"));
            }
        },
        FIREWALL {
            @Override
            void make() throws InterruptedException {
                assertEquals(0, nft("add table inet cut"));
                assertEquals(0, nft("add chain inet cut in { type filter hook input priority 0; policy drop; }"));
                assertEquals(0, nft("add chain inet cut out { type filter hook output priority 0; policy drop; }"));
            }

            @Override
            void mend() throws InterruptedException {
                assertEquals(0, nft("delete table inet cut"));
            }
        };

        abstract void make() throws InterruptedException;

        abstract void mend() throws InterruptedException;
    }

    private static int nft(String command) throws InterruptedException {
        return run("ip", "netns", "exec", space(0), "nft", command);
    }

    @ParameterizedTest
    @CsvSource({"CABLE,2,done,done", "CABLE,20,lost 1,lost 0", "FIREWALL,2,done,done", "FIREWALL,20,lost 1,lost 0"})
    void shouldOutliveAShortPartitionAndNameThePeerAfterALongOne(
            Cut cut, int seconds, String first, String second, @TempDir Path parent) throws Exception {
        List<Process> ranks = new ArrayList<>();
        try {
            connect();
            assumeTrue(cut != Cut.FIREWALL || nft("list tables") == 0, "no nftables here (Debian: nftables)");
            for (int rank = 0; rank < 2; rank++) {
                List<String> command = new ArrayList<>(List.of("ip", "netns", "exec", space(rank)));
                command.addAll(LostProcessTest.java(Rank.class));
                command.addAll(List.of("" + rank, parent.toString(), seconds < 4 ? "1500" : "1000000"));
                ranks.add(new ProcessBuilder(command)
                        .redirectError(ProcessBuilder.Redirect.INHERIT)
                        .start());
            }
            BufferedReader output = ranks.getFirst().inputReader();
            assertEquals("connected", LostProcessTest.next(output, "connected"));
            Thread.sleep(500);
            cut.make();
            Thread.sleep(TimeUnit.SECONDS.toMillis(seconds));
            cut.mend();
            assertEquals(first, LostProcessTest.next(output, "lost", "done"));
            BufferedReader other = ranks.get(1).inputReader();
            assertEquals("connected", LostProcessTest.next(other, "connected"));
            assertEquals(second, LostProcessTest.next(other, "lost", "done"));
            for (Process rank : ranks) {
                assertTrue(rank.waitFor(20, TimeUnit.SECONDS), "a rank does not end");
            }
        } finally {
            ranks.forEach(Process::destroyForcibly);
            run("ip", "netns", "del", space(0));
            run("ip", "netns", "del", space(1));
        }
    }
}
