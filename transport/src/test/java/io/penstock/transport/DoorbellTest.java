package io.penstock.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class DoorbellTest {
    private static final long LIMIT_NS = TimeUnit.SECONDS.toNanos(20);

    @BeforeEach
    void assumeFutexes() {
        assumeTrue(Futex.isAvailable(), "no futexes on this operating system");
    }

    @Test
    void shouldNotSleepThroughARing(@TempDir Path directory) throws Exception {
        SharedFiles files = new SharedFiles(directory);
        Path path = files.doorbell(1, 1, 0);
        assertNull(Doorbell.open(path, 2));
        try (Doorbell own = Objects.requireNonNull(Doorbell.create(files, path, 2))) {
            Doorbell peers = Objects.requireNonNull(Doorbell.open(path, 2));
            AtomicInteger given = new AtomicInteger();
            AtomicInteger taken = new AtomicInteger();
            int rounds = 20_000;
            Thread giver = Thread.ofPlatform().start(() -> {
                for (int i = 0; i < rounds; i++) {
                    while (taken.get() < i) {
                        Thread.onSpinWait();
                    }
                    given.incrementAndGet();
                    peers.ring();
                }
            });
            long start = System.nanoTime();
            while (taken.get() < rounds) {
                if (given.get() > taken.get()) {
                    taken.incrementAndGet();
                    continue;
                }
                int seen = own.lieDown();
                if (given.get() > taken.get()) {
                    own.stayAwake();
                } else {
                    // One lost ring is a sleep to the end.
                    own.sleep(seen, LIMIT_NS);
                }
            }
            giver.join();
            assertEquals(rounds, given.get());
            assertTrue(System.nanoTime() - start < LIMIT_NS, "slept through a ring");
        }
        assertTrue(Files.notExists(path), "the name stays after close");
    }

    @Test
    void shouldWakeUpByItself(@TempDir Path directory) {
        SharedFiles files = new SharedFiles(directory);
        try (Doorbell own = Objects.requireNonNull(Doorbell.create(files, files.doorbell(1, 1, 0), 2))) {
            long start = System.nanoTime();
            own.sleep(own.lieDown(), TimeUnit.MILLISECONDS.toNanos(30));
            assertTrue(System.nanoTime() - start >= TimeUnit.MILLISECONDS.toNanos(29), "did not sleep");
        }
    }
}
