package io.penstock.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Half an hour of messages of random sizes (-Dpenstock.soak.minutes=N), half of it over each path: memory, file descriptors and threads
 * stay flat, and the bytes are right.
 */
@Tag("slow")
final class SoakTest {
    private static final io.penstock.transport.Tag TAG = new io.penstock.transport.Tag(Kind.GRADIENT, 0);
    private static final int MAX_BYTES = 4 << 20;
    /** A pause after so many messages leaves the machine to others; a soak is about time, not about load. */
    private static final int TRAIN = 100;

    private static final long PAUSE_MILLIS = 20;
    private static final long MINUTES = Long.getLong("penstock.soak.minutes", 30);

    private record Usage(long residentKib, long descriptors, long threads) {
        static Usage now() throws IOException {
            System.gc();
            long resident = 0;
            for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
                if (line.startsWith("VmRSS:")) {
                    resident = Long.parseLong(line.replaceAll("\\D", ""));
                }
            }
            return new Usage(resident, count("/proc/self/fd"), count("/proc/self/task"));
        }

        private static long count(String directory) throws IOException {
            try (Stream<Path> entries = Files.list(Path.of(directory))) {
                return entries.count();
            }
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = World.Path.class,
            names = {"IPC", "UDP"})
    void shouldStayFlat(World.Path path) throws Exception {
        EndpointSettings settings = EndpointSettings.DEFAULT.withWaitLimit(30, TimeUnit.SECONDS);
        long endNs = System.nanoTime() + TimeUnit.MINUTES.toNanos(MINUTES) / 2;
        try (World world = new World(path, 2, settings);
                Arena arena = Arena.ofShared()) {
            MemorySegment[] memory = {
                arena.allocate(MAX_BYTES), arena.allocate(MAX_BYTES),
                World.readable(world.endpoint(0), MAX_BYTES, arena), World.readable(world.endpoint(1), MAX_BYTES, arena)
            };
            int round = rounds(world, memory, 0, System.nanoTime() + (endNs - System.nanoTime()) / 10);
            Usage early = Usage.now();
            rounds(world, memory, round, endNs);
            Usage late = Usage.now();
            String change = "from " + early + " to " + late;
            System.out.println(path + ": " + change + ", " + world.endpoint(0).counters());
            assertTrue(late.residentKib() < early.residentKib() * 1.1 + 20_000, change);
            assertTrue(late.descriptors() <= early.descriptors() + 4, change);
            assertTrue(late.threads() <= early.threads() + 4, change);
        }
    }

    private static int rounds(World world, MemorySegment[] memory, int from, long untilNs) throws Exception {
        int round = from;
        while (System.nanoTime() < untilNs) {
            int first = round;
            int last = round + 500;
            world.run(endpoint -> {
                for (int i = first; i < last; i++) {
                    Random random = new Random(i);
                    MemorySegment own = memory[endpoint.rank() + (random.nextBoolean() ? 0 : 2)];
                    int rest = random.nextInt(10) == 0 ? random.nextInt(MAX_BYTES - 8) : random.nextInt(9000);
                    long length = 8L + rest;
                    if (endpoint.rank() == i % 2) {
                        own.set(ValueLayout.JAVA_LONG, 0, i);
                        if (length > 8) {
                            own.set(ValueLayout.JAVA_BYTE, length - 1, (byte) length);
                        }
                        endpoint.await(endpoint.send(1 - endpoint.rank(), TAG, i, 0, own, 0, length));
                    } else {
                        endpoint.await(endpoint.receive(1 - endpoint.rank(), TAG, i, 0, own, 0, length));
                        assertEquals(i, own.get(ValueLayout.JAVA_LONG, 0), "message " + i);
                        if (length > 8) {
                            assertEquals((byte) length, own.get(ValueLayout.JAVA_BYTE, length - 1), "message " + i);
                        }
                    }
                    if (i % TRAIN == 0) {
                        Thread.sleep(PAUSE_MILLIS);
                    }
                }
            });
            round = last;
        }
        return round;
    }
}
