package io.penstock.engine.offload;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * A thread that carries bytes between a device and a store while its rank computes: one copy after the other in the order in which they were asked for. From its start to its end
 * the store is this thread's. One thread asks and waits. Nothing here allocates after the start.
 */
public final class CopyAgent implements Carrier {
    /** More than a rank ever asks for before it waits; a power of two. */
    private static final int QUEUE = 16;

    private final ShardStore store;
    private final Copy[] queue = new Copy[QUEUE];
    private final AtomicLong asked = new AtomicLong();
    private final AtomicLong done = new AtomicLong();
    private final Thread thread;
    private volatile @Nullable Thread waiting;
    private volatile @Nullable Throwable failure;
    private volatile boolean closed;

    /** {@code name}: of the thread, which starts at once. */
    public CopyAgent(ShardStore store, String name) {
        this.store = store;
        this.thread = Thread.ofPlatform().daemon().name(name).start(this::run);
    }

    @Override
    public long ask(Copy copy) {
        long place = asked.get();
        await(place - QUEUE + 1);
        queue[(int) (place % QUEUE)] = copy;
        asked.set(place + 1);
        LockSupport.unpark(thread);
        return place + 1;
    }

    @Override
    public void await(long copy) {
        if (done.get() >= copy) {
            return;
        }
        waiting = Thread.currentThread();
        while (done.get() < copy) {
            requireHealth();
            LockSupport.park(this);
        }
        waiting = null;
    }

    private void requireHealth() {
        Throwable cause = failure;
        if (cause != null) {
            throw new IllegalStateException("carrying activations to or from " + store.description(), cause);
        }
    }

    private void run() {
        try {
            while (!closed) {
                if (doWork() == 0) {
                    LockSupport.park(this);
                }
            }
        } catch (RuntimeException | Error e) {
            failure = e;
            LockSupport.unpark(waiting);
        }
    }

    private int doWork() {
        long place = done.get();
        if (place == asked.get()) {
            return 0;
        }
        make(queue[(int) (place % QUEUE)]);
        done.set(place + 1);
        LockSupport.unpark(waiting);
        return 1;
    }

    private void make(Copy copy) {
        MemorySegment here = copy.here().segment();
        MemorySegment elsewhere = copy.elsewhere().segment();
        store.acquire(copy.elsewhere());
        if (copy.toStore()) {
            MemorySegment.copy(here, 0, elsewhere, 0, here.byteSize());
            store.release(copy.elsewhere());
        } else {
            // What has come back is never read there again: it is left to be overwritten.
            MemorySegment.copy(elsewhere, 0, here, 0, here.byteSize());
        }
    }

    /** Returns when the thread has ended; copies that were asked for and not waited for may not be made. */
    @Override
    public void close() {
        closed = true;
        LockSupport.unpark(thread);
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
