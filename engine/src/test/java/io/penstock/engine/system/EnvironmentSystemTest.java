package io.penstock.engine.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Ranks that something else starts: they find each other by environment variables. */
@Tag("system")
@Timeout(value = 200, unit = TimeUnit.SECONDS)
final class EnvironmentSystemTest {
    private static final String TOKEN = "a secret of many characters";
    private static final long SECONDS = 20;

    private Sandbox sandbox = new Sandbox(Path.of(""));
    private int port;

    @BeforeEach
    void make(@TempDir Path folder) throws IOException {
        sandbox = Sandbox.in(folder);
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = socket.getLocalPort();
        }
    }

    private Running rank(int rank, String token, String... overrides) {
        String[] all = Arrays.copyOf(overrides, overrides.length + 2);
        all[overrides.length] = "cluster.launch=environment";
        all[overrides.length + 1] = "cluster.transport=aeron:udp";
        Map<String, String> variables = Map.of(
                "RANK",
                Integer.toString(rank),
                "WORLD_SIZE",
                "2",
                "MASTER_ADDR",
                "127.0.0.1",
                "MASTER_PORT",
                Integer.toString(port),
                "PENSTOCK_JOB_TOKEN",
                token);
        return sandbox.start(variables, Sandbox.train(all));
    }

    @Test
    void shouldTrainOverUdpToTheBitsOfThreads() throws IOException {
        Running first = rank(0, TOKEN);
        Running second = rank(1, TOKEN);
        first.end(0);
        second.end(0);
        assertTrue(first.out().contains("step 8/8"), first.out());
        assertEquals("", second.out());
        assertFalse(Files.exists(sandbox.run(Sandbox.NAME + "-2")));
        assertTrue(Files.size(sandbox.run(Sandbox.NAME).resolve("logs/rank-1.log")) > 0);
        sandbox.start(Sandbox.train("run.name=threads", "cluster.launch=threads"))
                .end(0);
        assertEquals(
                Sandbox.tensors(sandbox.checkpoint("threads", 8)),
                Sandbox.tensors(sandbox.checkpoint(Sandbox.NAME, 8)));
    }

    @Test
    @Tag("slow")
    void shouldNameARankThatIsKilledOnTheOther() {
        Running first = rank(0, TOKEN, "training.steps=10000000");
        Running second = rank(1, TOKEN, "training.steps=10000000");
        first.untilOut("step 6/");
        second.process().destroyForcibly();
        first.endWithin(4, SECONDS);
        assertTrue(first.err().contains("rank 1 lost at step "), first.err());
        second.end(137);
    }

    @Test
    void shouldRefuseAWrongJobToken() {
        Running first = rank(0, TOKEN, "cluster.join_timeout=12");
        Running second = rank(1, "another secret of many characters", "cluster.join_timeout=12");
        second.end(4);
        assertTrue(second.err().contains("token"), second.err());
        assertFalse(second.err().contains("another secret"), second.err());
        first.end(4);
        assertTrue(first.err().contains("rank 1") || first.err().contains("token"), first.err());
    }

    @Test
    void shouldSayWhatTheEnvironmentLacks() {
        Running run = sandbox.start(Sandbox.train("cluster.launch=environment")).end(2);
        assertTrue(run.err().contains("PENSTOCK_JOB_TOKEN"), run.err());
        run = sandbox.start(
                        Map.of("PENSTOCK_JOB_TOKEN_FILE", "/nowhere/token"),
                        Sandbox.train("cluster.launch=environment"))
                .end(2);
        assertTrue(run.err().contains("cannot read the job token from /nowhere/token"), run.err());
        run = sandbox.start(Map.of("PENSTOCK_JOB_TOKEN", TOKEN), Sandbox.train("cluster.launch=environment"))
                .end(2);
        assertTrue(run.err().contains("[RANK, SLURM_PROCID,"), run.err());
        assertFalse(Files.exists(sandbox.run(Sandbox.NAME)));
    }
}
