package io.penstock.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.penstock.transport.driver.DriverHost;
import io.penstock.transport.rendezvous.JobToken;
import io.penstock.transport.rendezvous.JoinRequest;
import io.penstock.transport.rendezvous.Rendezvous;
import io.penstock.transport.rendezvous.RendezvousServer;
import io.penstock.transport.rendezvous.RendezvousSettings;
import java.io.BufferedReader;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Ranks in processes of their own, killed and frozen. */
@Timeout(value = 90, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class LostProcessTest {
    private static final Tag TAG = new Tag(Kind.ACTIVATION, 0);
    private static final long JOIN_NS = TimeUnit.SECONDS.toNanos(30);

    /** A rank that answers each message of rank 0, and prints what ends it. */
    static final class Rank {
        public static void main(String[] args) throws Exception {
            int rank = Integer.parseInt(args[0]);
            InetSocketAddress address =
                    new InetSocketAddress(InetAddress.getLoopbackAddress(), Integer.parseInt(args[1]));
            String udp = Machine.freeUdpEndpoint(InetAddress.getLoopbackAddress());
            Member self = Member.local(rank, udp, args[2], "");
            Membership membership = Rendezvous.join(
                    address,
                    new JoinRequest("job", "1", 3, "", self),
                    JobToken.fromEnvironment(System.getenv()),
                    JOIN_NS);
            AeronSettings aeron = AeronSettings.DEFAULT.withPath(AeronSettings.Path.valueOf(args[3]));
            try (Arena arena = Arena.ofShared();
                    Endpoint endpoint = AeronEndpoint.open(membership, rank, aeron, EndpointSettings.DEFAULT)) {
                MemorySegment memory = arena.allocate(100_000);
                for (int i = 0; ; i++) {
                    endpoint.progress(i, 3, 4);
                    endpoint.await(endpoint.receive(0, TAG, i, 3, memory));
                    endpoint.await(endpoint.send(0, TAG, i, 3, memory));
                }
            } catch (PeerLostException e) {
                System.out.println("lost " + e.rank());
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"KILL,IPC,3000", "KILL,UDP,3000", "STOP,IPC,5000", "STOP,UDP,5000"})
    void shouldNameTheLostProcessOnEveryRank(String signal, AeronSettings.Path path, long limitMillis)
            throws Exception {
        JobToken token = JobToken.random();
        RendezvousSettings expected = new RendezvousSettings(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), "job", "1", 3, 1, "", JOIN_NS);
        List<Process> processes = new ArrayList<>();
        try (DriverHost driver = World.startDriver(3);
                RendezvousServer server = RendezvousServer.start(expected, token)) {
            for (int rank = 1; rank < 3; rank++) {
                processes.add(start(rank, server.address().getPort(), driver, path, token));
            }
            Member self = Member.local(
                    0,
                    Machine.freeUdpEndpoint(InetAddress.getLoopbackAddress()),
                    driver.directory().toString(),
                    "");
            Membership membership =
                    Rendezvous.join(server.address(), new JoinRequest("job", "1", 3, "", self), token, JOIN_NS);
            AeronSettings aeron = AeronSettings.DEFAULT.withPath(path);
            try (Endpoint endpoint = AeronEndpoint.open(membership, 0, aeron, EndpointSettings.DEFAULT);
                    Arena arena = Arena.ofShared()) {
                MemorySegment memory = arena.allocate(100_000);
                talk(endpoint, memory, 0, 50);
                Thread.sleep(300); // a heartbeat later its progress is known
                new ProcessBuilder(
                                "kill",
                                "-" + signal,
                                Long.toString(processes.getLast().pid()))
                        .start()
                        .waitFor();
                long start = System.nanoTime();
                PeerLostException lost =
                        assertThrows(PeerLostException.class, () -> talk(endpoint, memory, 50, 1_000_000));
                long tookMillis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start);
                assertEquals(2, lost.rank(), lost.getMessage());
                assertEquals(50, lost.progress().step(), 1, lost.getMessage());
                assertTrue(tookMillis < limitMillis, tookMillis + " ms: " + lost.getMessage());
                assertTrue(lost.waitingFor().contains("rank 2"), lost.getMessage());
            }
            assertEquals("lost 2", lastLine(processes.getFirst()));
            if (signal.equals("STOP")) {
                new ProcessBuilder(
                                "kill",
                                "-CONT",
                                Long.toString(processes.getLast().pid()))
                        .start()
                        .waitFor();
                assertEquals("lost 2", lastLine(processes.getLast()), "the frozen rank knows that it was given up");
            }
        } finally {
            processes.forEach(Process::destroyForcibly);
        }
    }

    private static void talk(Endpoint endpoint, MemorySegment memory, int from, int to) {
        for (int i = from; i < to; i++) {
            endpoint.progress(i, 3, 4);
            for (int peer = 1; peer < 3; peer++) {
                endpoint.await(endpoint.send(peer, TAG, i, 3, memory));
                endpoint.await(endpoint.receive(peer, TAG, i, 3, memory));
            }
        }
    }

    private static Process start(int rank, int port, DriverHost driver, AeronSettings.Path path, JobToken token)
            throws Exception {
        List<String> command = java(Rank.class);
        command.addAll(List.of(
                Integer.toString(rank),
                Integer.toString(port),
                driver.directory().toString(),
                path.name()));
        ProcessBuilder builder = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT);
        builder.environment().put(JobToken.VARIABLE, token.forChildEnvironment());
        return builder.start();
    }

    /** The command line of another small JVM with the flags of this one. */
    static List<String> java(Class<?> main) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        for (String flag : ManagementFactory.getRuntimeMXBean().getInputArguments()) {
            if (!flag.startsWith("-Xmx") && !flag.contains("-javaagent")) {
                command.add(flag);
            }
        }
        command.addAll(List.of("-Xmx256m", "-XX:+UseSerialGC", "-cp", System.getProperty("java.class.path")));
        command.add(main.getName());
        return command;
    }

    /** The next line that begins with one of the words; log lines in between are passed over. */
    static String next(BufferedReader output, String... words) throws IOException {
        for (String line = output.readLine(); line != null; line = output.readLine()) {
            for (String word : words) {
                if (line.startsWith(word)) {
                    return line;
                }
            }
        }
        return "nothing";
    }

    private static String lastLine(Process process) throws Exception {
        String last = "";
        try (BufferedReader reader = process.inputReader()) {
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                last = line;
            }
        }
        return last;
    }
}
