package io.penstock.transport;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Wakes the transport thread of a rank, from any thread of any process of the machine; a page of shared memory. Whoever gives the rank
 * something to do rings after it, so that a rank which waits can sleep instead of polling.
 *
 * <pre>
 *   0 rings (int): goes up with each ring; the futex word      64 asleep (int): 1 while the owner may be asleep
 * </pre>
 */
final class Doorbell implements AutoCloseable {
    private static final long BYTES = 4096;
    private static final long ASLEEP_OFFSET = 64;
    private static final VarHandle INT = ValueLayout.JAVA_INT.varHandle();

    private final MemorySegment memory;
    private final MemorySegment word;
    private final MemorySegment timespec;
    private final @Nullable Path name;

    private Doorbell(Arena arena, MemorySegment memory, @Nullable Path name) {
        this.memory = memory;
        this.word = memory.asSlice(0, 4);
        this.timespec = arena.allocate(16, 8);
        this.name = name;
    }

    /** The owner's. Where files or futexes fail there is no bell, and the owner polls. */
    static @Nullable Doorbell create(SharedFiles files, Path path) {
        if (!Futex.isAvailable()) {
            return null;
        }
        // Unmapped when nobody can reach it any more: any thread may ring at any time, also while the owner leaves.
        Arena arena = Arena.ofAuto();
        try (FileChannel channel = files.create(path, BYTES)) {
            return new Doorbell(arena, channel.map(FileChannel.MapMode.READ_WRITE, 0, BYTES, arena), path);
        } catch (IOException e) {
            return null;
        }
    }

    /** A peer's, or null if it has none (yet). */
    static @Nullable Doorbell open(Path path) {
        if (!Futex.isAvailable() || !Files.exists(path)) {
            return null;
        }
        Arena arena = Arena.ofAuto();
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            if (channel.size() < BYTES) {
                return null;
            }
            return new Doorbell(arena, channel.map(FileChannel.MapMode.READ_WRITE, 0, BYTES, arena), null);
        } catch (IOException e) {
            return null;
        }
    }

    void ring() {
        int ignored = (int) INT.getAndAdd(memory, 0L, 1);
        if ((int) INT.getVolatile(memory, ASLEEP_OFFSET) != 0) {
            Futex.wake(word);
        }
    }

    /** The owner reads this before it looks for work, and passes it to {@link #sleep} if it finds none. */
    int rings() {
        return (int) INT.getVolatile(memory, 0L);
    }

    /** Returns at once if the bell rang since {@code seen} was read; else when it rings, and after the limit at the latest. */
    void sleep(int seen, long limitNs) {
        timespec.set(ValueLayout.JAVA_LONG, 0, limitNs / TimeUnit.SECONDS.toNanos(1));
        timespec.set(ValueLayout.JAVA_LONG, 8, limitNs % TimeUnit.SECONDS.toNanos(1));
        INT.setVolatile(memory, ASLEEP_OFFSET, 1);
        Futex.await(word, seen, timespec);
        INT.setVolatile(memory, ASLEEP_OFFSET, 0);
    }

    /** Takes the name away; those who have the bell may ring it for ever. */
    @Override
    public void close() {
        if (name == null) {
            return;
        }
        try {
            Files.deleteIfExists(name);
        } catch (IOException e) {
            throw new TransportException("cannot delete " + name, e);
        }
    }
}
