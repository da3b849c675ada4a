package io.penstock.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.penstock.transport.driver.DriverHost;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** SIGKILL of one of three processes at fifty seeded moments, some of them while streams, slabs and bells are being made. */
@Tag("slow")
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class KillMomentsTest {
    private static final long SEED = 20_26;
    private static final io.penstock.transport.Tag TAG = new io.penstock.transport.Tag(Kind.GRADIENT, 0);
    private static final long NEWS_NS = TimeUnit.SECONDS.toNanos(3);

    /** Prints when it starts to talk, exchanges small and large messages with all for ever, and prints who was lost. */
    static final class Rank {
        public static void main(String[] args) throws Exception {
            int rank = Integer.parseInt(args[0]);
            String[] udp = Arrays.copyOfRange(args, 2, 5);
            System.out.println("up");
            String line = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8)).readLine();
            long[] pids =
                    Arrays.stream(line.split(" ")).mapToLong(Long::parseLong).toArray();
            try (Arena arena = Arena.ofShared();
                    Endpoint endpoint = AeronEndpoint.open(
                            membership(udp, args[1], pids), rank, AeronSettings.DEFAULT, EndpointSettings.DEFAULT)) {
                MemorySegment memory = arena.allocate(4 << 20);
                for (int i = 0; ; i++) {
                    talk(endpoint, memory, i, i % 3 == 0 ? 1 << 20 : 1000);
                }
            } catch (PeerLostException e) {
                System.out.println("lost " + e.rank());
            }
        }

        private static void talk(Endpoint endpoint, MemorySegment memory, int step, long length) {
            endpoint.progress(step, 0, 1);
            Transfer[] transfers = new Transfer[6];
            for (int peer = 0; peer < 3; peer++) {
                if (peer != endpoint.rank()) {
                    transfers[peer] = endpoint.receive(peer, TAG, step, 0, memory, peer * length, length);
                    transfers[3 + peer] =
                            endpoint.send(peer, TAG, step, 0, memory, 3 * length, Math.min(length, 1 << 20));
                }
            }
            for (Transfer transfer : transfers) {
                if (transfer != null) {
                    endpoint.await(transfer);
                }
            }
        }
    }

    private static Membership membership(String[] udp, String directory, long[] pids) {
        List<Member> members = new ArrayList<>();
        for (int rank = 0; rank < 3; rank++) {
            members.add(new Member(rank, "localhost", Machine.identity(), pids[rank], udp[rank], directory, ""));
        }
        return new Membership(9, 1, members);
    }

    static IntStream moments() {
        return new Random(SEED).ints(50, 0, 600);
    }

    @ParameterizedTest(name = "after {0} ms, seed " + SEED)
    @MethodSource("moments")
    void shouldNameTheKilledRank(int delayMillis) throws Exception {
        String[] udp = new String[3];
        for (int rank = 0; rank < 3; rank++) {
            udp[rank] = Machine.freeUdpEndpoint(InetAddress.getLoopbackAddress());
        }
        int victim = delayMillis % 3;
        List<Process> ranks = new ArrayList<>();
        try (DriverHost driver = World.startDriver(3)) {
            for (int rank = 0; rank < 3; rank++) {
                List<String> command = LostProcessTest.java(Rank.class);
                command.addAll(List.of("" + rank, driver.directory().toString()));
                command.addAll(List.of(udp));
                ranks.add(new ProcessBuilder(command)
                        .redirectError(ProcessBuilder.Redirect.DISCARD)
                        .start());
            }
            List<BufferedReader> outputs =
                    ranks.stream().map(Process::inputReader).toList();
            for (BufferedReader output : outputs) {
                assertEquals("up", LostProcessTest.next(output, "up"));
            }
            String pids = ranks.get(0).pid() + " " + ranks.get(1).pid() + " "
                    + ranks.get(2).pid() + "\n";
            for (Process rank : ranks) {
                rank.outputWriter().append(pids).flush();
            }
            Thread.sleep(delayMillis);
            ranks.get(victim).destroyForcibly();
            long start = System.nanoTime();
            for (int rank = 0; rank < 3; rank++) {
                if (rank != victim) {
                    assertEquals("lost " + victim, LostProcessTest.next(outputs.get(rank), "lost"), "rank " + rank);
                }
            }
            long tookNs = System.nanoTime() - start;
            assertTrue(tookNs < NEWS_NS, "known after " + tookNs / 1_000_000 + " ms");
        } finally {
            ranks.forEach(Process::destroyForcibly);
        }
    }
}
