package io.penstock.transport.rendezvous;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.penstock.transport.Member;
import io.penstock.transport.Membership;
import java.io.DataOutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class RendezvousTest {
    private static final long LIMIT_NS = TimeUnit.SECONDS.toNanos(20);
    private static final JobToken TOKEN = JobToken.random();
    private static final String CONFIGURATION = "steps: 10\nseed: 1\nlayers: 4\n";

    private static RendezvousServer server(int worldSize, long limitNs) {
        InetSocketAddress any = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
        return RendezvousServer.start(
                new RendezvousSettings(any, "job", "0.1", worldSize, 1, CONFIGURATION, limitNs), TOKEN);
    }

    private static JoinRequest request(int rank, int worldSize) {
        return new JoinRequest("job", "0.1", worldSize, CONFIGURATION, Member.local(rank, "", "", "from " + rank));
    }

    private static FutureTask<Membership> join(RendezvousServer server, JoinRequest request) {
        FutureTask<Membership> task =
                new FutureTask<>(() -> Rendezvous.join(server.address(), request, TOKEN, LIMIT_NS));
        Thread.ofVirtual().start(task);
        return task;
    }

    private static String refusal(RendezvousServer server, JoinRequest request, JobToken token) {
        RendezvousException e = assertThrows(
                RendezvousException.class, () -> Rendezvous.join(server.address(), request, token, LIMIT_NS));
        return String.valueOf(e.getMessage());
    }

    @Test
    void shouldGiveEveryRankTheSameMembership() throws Exception {
        try (RendezvousServer server = server(4, LIMIT_NS)) {
            List<FutureTask<Membership>> joins = new ArrayList<>();
            for (int rank = 3; rank >= 0; rank--) {
                joins.add(join(server, request(rank, 4)));
            }
            Membership membership = server.await();
            assertEquals(4, membership.worldSize());
            assertEquals("from 2", membership.member(2).payload());
            for (FutureTask<Membership> join : joins) {
                assertEquals(membership, join.get());
            }
        }
    }

    @Test
    void shouldRefuseAWrongTokenAndNotPrintIt() {
        try (RendezvousServer server = server(2, LIMIT_NS)) {
            JobToken wrong = JobToken.fromEnvironment(Map.of(JobToken.VARIABLE, "not-the-right-token-at-all"));
            String refusal = refusal(server, request(0, 2), wrong);
            assertTrue(refusal.contains("different job tokens"), refusal);
            assertFalse(wrong.toString().contains("not-the-right"), wrong.toString());
        }
    }

    @Test
    void shouldTakeTheTokenFromTheEnvironmentOrAFile(@TempDir Path directory) throws Exception {
        Path file = directory.resolve("token");
        Files.writeString(file, "  a secret of many characters\n");
        JobToken fromFile = JobToken.fromEnvironment(Map.of(JobToken.FILE_VARIABLE, file.toString()));
        assertEquals("a secret of many characters", fromFile.forChildEnvironment());
        JobToken direct = JobToken.fromEnvironment(
                Map.of(JobToken.VARIABLE, "another secret of many", JobToken.FILE_VARIABLE, file.toString()));
        assertEquals("another secret of many", direct.forChildEnvironment());
        Path missing = directory.resolve("missing");
        assertTrue(noToken(Map.of()).contains("PENSTOCK_JOB_TOKEN_FILE"), noToken(Map.of()));
        String unread = noToken(Map.of(JobToken.FILE_VARIABLE, missing.toString()));
        assertTrue(unread.contains(missing.toString()), unread);
        Files.writeString(file, "too short");
        String tooShort = noToken(Map.of(JobToken.FILE_VARIABLE, file.toString()));
        assertTrue(tooShort.contains("has 9 characters, 16 are needed"), tooShort);
        assertFalse(tooShort.contains("too short"), tooShort);
    }

    private static String noToken(Map<String, String> environment) {
        RendezvousException e = assertThrows(RendezvousException.class, () -> JobToken.fromEnvironment(environment));
        return String.valueOf(e.getMessage());
    }

    @Test
    void shouldNameBothWhenARankComesTwice() {
        try (RendezvousServer server = server(2, LIMIT_NS)) {
            Member first = new Member(1, "host-a", "m", 111, "", "", "");
            Member second = new Member(1, "host-b", "m", 222, "", "", "");
            FutureTask<Membership> joined = join(server, new JoinRequest("job", "0.1", 2, CONFIGURATION, first));
            String refusal = "";
            for (int i = 0; i < 200 && !refusal.contains("is taken"); i++) {
                // The first must be in before the second comes.
                if (i == 0) {
                    sleep(300);
                }
                refusal = refusal(server, new JoinRequest("job", "0.1", 2, CONFIGURATION, second), TOKEN);
            }
            assertTrue(refusal.contains("process 111 on host-a"), refusal);
            assertTrue(refusal.contains("process 222 on host-b"), refusal);
            assertFalse(joined.isDone());
        }
    }

    private static void sleep(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void shouldRefuseAnotherJobVersionSizeOrConfiguration() {
        try (RendezvousServer server = server(2, LIMIT_NS)) {
            Member member = Member.local(1, "", "", "");
            String job = refusal(server, new JoinRequest("other", "0.1", 2, CONFIGURATION, member), TOKEN);
            assertTrue(job.contains("this is job 'job', it wants job 'other'"), job);
            String version = refusal(server, new JoinRequest("job", "0.2", 2, CONFIGURATION, member), TOKEN);
            assertTrue(version.contains("Penstock here is 0.1, there 0.2"), version);
            String size = refusal(server, new JoinRequest("job", "0.1", 4, CONFIGURATION, member), TOKEN);
            assertTrue(size.contains("the world here has 2 ranks, there 4"), size);
            String config = CONFIGURATION.replace("seed: 1", "seed: 2");
            String configuration = refusal(server, new JoinRequest("job", "0.1", 2, config, member), TOKEN);
            assertTrue(configuration.contains("line 2: here  seed: 1\n  line 2: there seed: 2"), configuration);
        }
    }

    @Test
    void shouldListTheMissingWhenTimeIsOver() {
        try (RendezvousServer server = server(4, TimeUnit.MILLISECONDS.toNanos(700))) {
            FutureTask<Membership> zero = join(server, request(0, 4));
            FutureTask<Membership> two = join(server, request(2, 4));
            RendezvousException e = assertThrows(RendezvousException.class, server::await);
            assertEquals("2 of 4 joined: missing 1, 3", e.getMessage());
            for (FutureTask<Membership> join : List.of(zero, two)) {
                Exception told = assertThrows(Exception.class, join::get);
                assertTrue(String.valueOf(told.getMessage()).contains("2 of 4 joined: missing 1, 3"), told.toString());
            }
        }
    }

    @Test
    void shouldSayThatNobodyListens() {
        InetSocketAddress gone;
        try (RendezvousServer server = server(2, LIMIT_NS)) {
            gone = server.address();
        }
        RendezvousException e = assertThrows(
                RendezvousException.class,
                () -> Rendezvous.join(gone, request(0, 2), TOKEN, TimeUnit.MILLISECONDS.toNanos(300)));
        assertTrue(String.valueOf(e.getMessage()).contains("nobody listening"), e.getMessage());
    }

    @Test
    void shouldSurviveRubbishFromTheNetwork() throws Exception {
        try (RendezvousServer server = server(1, LIMIT_NS)) {
            try (Socket socket =
                    new Socket(server.address().getAddress(), server.address().getPort())) {
                DataOutputStream out = new DataOutputStream(socket.getOutputStream());
                out.write(new byte[Handshake.NONCE_BYTES]);
                out.writeInt(Integer.MAX_VALUE);
                assertEquals(8 + Handshake.NONCE_BYTES, socket.getInputStream().readAllBytes().length);
            }
            assertEquals(
                    1,
                    Rendezvous.join(server.address(), request(0, 1), TOKEN, LIMIT_NS)
                            .worldSize());
        }
    }
}
