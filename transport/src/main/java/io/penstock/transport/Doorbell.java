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
 * Wakes the thread that moves the bytes of a rank, from any thread of any process of the machine; a page of shared memory. Whoever gives
 * the rank something to do rings after it, so that a rank which waits can sleep instead of polling. A waiting thread that moves bytes is
 * woken instead of the transport thread, which sleeps on. It stays in charge when its wait is over, since the next one often follows at
 * once, until the transport thread looks by itself and finds nobody there. While all are awake a ring only reads, so that the page stays in
 * the caches of both; who goes to sleep says so first, and then looks once more.
 *
 * <pre>
 *    0 rings (int): the futex word of the transport thread         4 rings (int): that of a waiting thread; only a ring that wakes it adds
 *   64 flags (int): 1 the transport thread may be asleep, 2 the waiting thread may be, 4 a waiting thread is in charge
 *  128 taken (long), for each peer and lane: how many pieces of this rank's {@link SharedMemory} it has copied so far
 * </pre>
 */
final class Doorbell implements AutoCloseable {
    private static final long TAKEN_OFFSET = 128;
    private static final long PAGE_BYTES = 4096;
    private static final long FLAGS_OFFSET = 64;
    private static final int AGENT_ASLEEP = 1;
    private static final int WAITER_ASLEEP = 2;
    private static final int WAITER_IN_CHARGE = 4;
    private static final VarHandle INT = ValueLayout.JAVA_INT.varHandle();
    private static final VarHandle LONG = ValueLayout.JAVA_LONG.varHandle();

    private final MemorySegment memory;
    private final Sleeper agent;
    private final Sleeper waiter;
    private final @Nullable Path name;

    /** A thread's futex word, its number, its flag, and memory for its time limit. */
    private record Sleeper(MemorySegment word, long offset, int flag, MemorySegment timespec) {}

    private Doorbell(Arena arena, MemorySegment memory, @Nullable Path name) {
        this.memory = memory;
        this.agent = new Sleeper(memory.asSlice(0, 4), 0, AGENT_ASLEEP, arena.allocate(16, 8));
        this.waiter = new Sleeper(memory.asSlice(4, 4), 4, WAITER_ASLEEP, arena.allocate(16, 8));
        this.name = name;
    }

    /** The bytes of a doorbell in a world of so many ranks. */
    static long bytes(int worldSize) {
        long used = TAKEN_OFFSET + (long) worldSize * Kind.LANES * Long.BYTES;
        return Math.ceilDiv(used, PAGE_BYTES) * PAGE_BYTES;
    }

    /** The owner's. Where files or futexes fail there is no bell, and the owner polls. */
    static @Nullable Doorbell create(SharedFiles files, Path path, int worldSize) {
        if (!Futex.isAvailable()) {
            return null;
        }
        // Unmapped when nobody can reach it any more: any thread may ring at any time, also while the owner leaves.
        Arena arena = Arena.ofAuto();
        long bytes = bytes(worldSize);
        try (FileChannel channel = files.create(path, bytes)) {
            return new Doorbell(arena, channel.map(FileChannel.MapMode.READ_WRITE, 0, bytes, arena), path);
        } catch (IOException e) {
            return null;
        }
    }

    /** A peer's, or null if it has none (yet). */
    static @Nullable Doorbell open(Path path, int worldSize) {
        if (!Futex.isAvailable() || !Files.exists(path)) {
            return null;
        }
        Arena arena = Arena.ofAuto();
        long bytes = bytes(worldSize);
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            if (channel.size() < bytes) {
                return null;
            }
            return new Doorbell(arena, channel.map(FileChannel.MapMode.READ_WRITE, 0, bytes, arena), null);
        } catch (IOException e) {
            return null;
        }
    }

    /** A peer: wakes who is in charge. */
    void ring() {
        int flags = flagsAfterAll();
        if ((flags & WAITER_IN_CHARGE) != 0) {
            wakeIf(flags, waiter);
        } else {
            wakeIf(flags, agent);
        }
    }

    /** A peer: wakes a waiting thread that is in charge, and leaves a rank alone that computes. */
    void ringWaiter() {
        int flags = flagsAfterAll();
        if ((flags & WAITER_IN_CHARGE) != 0) {
            wakeIf(flags, waiter);
        }
    }

    /** The owner: wakes the waiting thread that moves bytes, and if there is none the transport thread, whoever is in charge. */
    void ringHere() {
        int flags = flagsAfterAll();
        wakeIf(flags, (flags & WAITER_ASLEEP) != 0 ? waiter : agent);
    }

    /** The owner: wakes the transport thread. */
    void ringAgent() {
        wakeIf(flagsAfterAll(), agent);
    }

    /** The flags, read after whatever was written before is there for all to see. */
    private int flagsAfterAll() {
        VarHandle.fullFence();
        return (int) INT.getOpaque(memory, FLAGS_OFFSET);
    }

    private void wakeIf(int flags, Sleeper sleeper) {
        if ((flags & sleeper.flag) != 0) {
            int ignored = (int) INT.getAndAdd(memory, sleeper.offset, 1);
            Futex.wake(sleeper.word);
        }
    }

    /**
     * The transport thread, which found nothing to do: from now on it is rung for. It must look once more before it {@linkplain #sleep
     * sleeps}, since who rang a moment ago saw it awake; if it finds something it {@linkplain #stayAwake stays awake}.
     */
    int lieDown() {
        return lieDown(agent);
    }

    /** As {@link #lieDown()}, for a waiting thread that has the turn. */
    int lieDownAsWaiter() {
        return lieDown(waiter);
    }

    private int lieDown(Sleeper sleeper) {
        raise(sleeper.flag);
        return (int) INT.getVolatile(memory, sleeper.offset);
    }

    void stayAwake() {
        lower(agent.flag);
    }

    void stayAwakeAsWaiter() {
        lower(waiter.flag);
    }

    /** The transport thread: returns at once if the bell rang since {@link #lieDown}; else at a ring, or after the limit. */
    void sleep(int seen, long limitNs) {
        sleep(agent, seen, limitNs);
    }

    /** As {@link #sleep}, for a waiting thread that has the turn. */
    void sleepAsWaiter(int seen, long limitNs) {
        sleep(waiter, seen, limitNs);
    }

    private void sleep(Sleeper sleeper, int seen, long limitNs) {
        sleeper.timespec.set(ValueLayout.JAVA_LONG, 0, limitNs / TimeUnit.SECONDS.toNanos(1));
        sleeper.timespec.set(ValueLayout.JAVA_LONG, 8, limitNs % TimeUnit.SECONDS.toNanos(1));
        Futex.await(sleeper.word, seen, sleeper.timespec);
        lower(sleeper.flag);
    }

    /** Puts the thread that has the turn in charge, a waiting one or the transport thread. */
    void putInCharge(boolean isWaiter) {
        boolean was = ((int) INT.getOpaque(memory, FLAGS_OFFSET) & WAITER_IN_CHARGE) != 0;
        if (isWaiter && !was) {
            raise(WAITER_IN_CHARGE);
        } else if (was && !isWaiter) {
            lower(WAITER_IN_CHARGE);
        }
    }

    private void raise(int flag) {
        int ignored = (int) INT.getAndBitwiseOr(memory, FLAGS_OFFSET, flag);
    }

    private void lower(int flag) {
        int ignored = (int) INT.getAndBitwiseAnd(memory, FLAGS_OFFSET, ~flag);
    }

    /** The owner: how many pieces a peer has taken in a lane. */
    long taken(int peer, int lane) {
        return (long) LONG.getAcquire(memory, takenOffset(peer, lane));
    }

    /** A peer: that it has taken so many pieces in a lane. */
    void setTaken(int peer, int lane, long pieces) {
        LONG.setRelease(memory, takenOffset(peer, lane), pieces);
    }

    private static long takenOffset(int peer, int lane) {
        return TAKEN_OFFSET + ((long) peer * Kind.LANES + lane) * Long.BYTES;
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
