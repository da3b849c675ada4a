package io.penstock.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.penstock.transport.driver.DriverHost;
import io.penstock.transport.driver.DriverSettings;
import io.penstock.transport.driver.StreamBudget;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Little shared memory, as containers have it: a small tmpfs, where we may mount one. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class TinySharedMemoryTest {
    private static final Tag TAG = new Tag(Kind.ACTIVATION, 0);
    private static final EndpointSettings SETTINGS = EndpointSettings.DEFAULT.withWaitLimit(20, TimeUnit.SECONDS);

    interface Body {
        void run(Path mount) throws Exception;
    }

    private static void withTmpfs(Path directory, int mebibytes, Body body) throws Exception {
        int status = run("mount", "-t", "tmpfs", "-o", "size=" + mebibytes + "m", "tmpfs", directory.toString());
        assumeTrue(status == 0, "not allowed to mount a tmpfs: mount ended with " + status);
        try {
            body.run(directory);
        } finally {
            run("umount", "-l", directory.toString());
        }
    }

    private static int run(String... command) throws Exception {
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

    @Test
    void shouldSayBeforeTheStartThatSixteenMebibytesAreTooFew(@TempDir Path directory) throws Exception {
        withTmpfs(directory, 16, mount -> {
            long needed = new StreamBudget(2, 2, true).bytes(AeronSettings.DEFAULT);
            DriverSettings settings = new DriverSettings(mount, "tiny", needed, 1 << 20);
            TransportException e = assertThrows(TransportException.class, () -> DriverHost.start(settings));
            String message = String.valueOf(e.getMessage());
            assertTrue(message.contains("needs " + needed + " bytes"), message);
            assertTrue(message.contains("only 16777216 (16 MiB) are free"), message);
            try (Stream<Path> left = Files.list(mount)) {
                assertEquals(0, left.count());
            }
        });
    }

    @Test
    void shouldSendThroughTheLogWhereTheSlabFindsNoRoom(@TempDir Path directory) throws Exception {
        // 40 MiB hold the driver and small terms, but no slab of 64 MiB.
        AeronSettings aeron =
                World.APART.withIpc(World.APART.ipc().withTermBytes(1 << 20).withSlab(256, 256 << 10, 64 << 10));
        withTmpfs(directory, 40, mount -> {
            try (DriverHost driver = DriverHost.start(new DriverSettings(mount, "tiny", 20 << 20, 1 << 20));
                    Arena arena = Arena.ofShared()) {
                Membership membership = World.membership(2, driver);
                try (Endpoint sender = AeronEndpoint.open(membership, 0, aeron, SETTINGS);
                        Endpoint receiver = AeronEndpoint.open(membership, 1, aeron, SETTINGS)) {
                    MemorySegment from = arena.allocate(5 << 20).fill((byte) 3);
                    MemorySegment to = arena.allocate(5 << 20);
                    Transfer receive = receiver.receive(0, TAG, 0, 0, to);
                    sender.await(sender.send(1, TAG, 0, 0, from));
                    receiver.await(receive);
                    assertEquals(-1, from.mismatch(to));
                    sender.announceDone();
                    receiver.announceDone();
                }
            }
        });
    }
}
