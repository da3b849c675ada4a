package io.penstock.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.penstock.transport.driver.DriverHost;
import io.penstock.transport.driver.DriverSettings;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A launcher that is killed with its driver, slabs and bells, and the next one that starts at once in the same place. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class StaleDriverTest {
    private static final Tag TAG = new Tag(Kind.ACTIVATION, 0);
    private static final int BYTES = 1 << 20;

    /** Hosts a driver, sends something large to itself, says so, and waits to be killed. */
    static final class Launcher {
        public static void main(String[] args) throws Exception {
            DriverHost driver = DriverHost.start(new DriverSettings(Path.of(args[0]), "stale", 0, 1 << 20));
            talk(driver);
            System.out.println("ready");
            Thread.sleep(TimeUnit.MINUTES.toMillis(1));
        }
    }

    private static void talk(DriverHost driver) {
        Membership membership = World.membership(2, driver);
        AeronSettings aeron = AeronSettings.DEFAULT.withPath(AeronSettings.Path.IPC);
        MemorySegment memory = Arena.ofAuto().allocate(2 * BYTES);
        Endpoint sender = AeronEndpoint.open(membership, 0, aeron, EndpointSettings.DEFAULT);
        Endpoint receiver = AeronEndpoint.open(membership, 1, aeron, EndpointSettings.DEFAULT);
        Transfer receive = receiver.receive(0, TAG, 0, 0, memory, 0, BYTES);
        sender.await(sender.send(1, TAG, 0, 0, memory, BYTES, BYTES));
        receiver.await(receive);
        if (driver.directory().toString().contains("next")) {
            sender.announceDone();
            receiver.announceDone();
            sender.close();
            receiver.close();
        }
    }

    @Test
    void shouldStartAtOnceBesideAKilledDriver(@TempDir Path parent) throws Exception {
        List<String> command = LostProcessTest.java(Launcher.class);
        command.add(parent.toString());
        Process launcher = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        try {
            assertEquals("ready", launcher.inputReader().readLine());
            assertEquals(1, entries(parent).size());
        } finally {
            launcher.destroyForcibly().waitFor();
        }
        Path stale = entries(parent).getFirst();
        long start = System.nanoTime();
        try (DriverHost next = DriverHost.start(new DriverSettings(parent, "next", 0, 1 << 20))) {
            talk(next);
            long tookMillis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start);
            assertTrue(tookMillis < 8_000, "start and first message after " + tookMillis + " ms");
            assertTrue(Files.notExists(stale), stale + " is still there");
        }
        assertEquals(List.of(), entries(parent));
    }

    private static List<Path> entries(Path directory) throws Exception {
        try (Stream<Path> list = Files.list(directory)) {
            return list.toList();
        }
    }
}
