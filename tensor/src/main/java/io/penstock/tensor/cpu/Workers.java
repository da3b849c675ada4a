package io.penstock.tensor.cpu;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * The caller and N - 1 daemon threads that take tiles from a counter. Nothing is allocated for an operation. Idle workers spin for some microseconds,
 * since the next operation of a step usually comes at once, then park.
 */
final class Workers implements AutoCloseable {
    private static final int SPINS = 2_000;
    private static final long CLOSE_TIMEOUT_MS = 10_000;
    private static final VarHandle LEFT;
    private static final VarHandle DONE;

    static {
        try {
            LEFT = MethodHandles.lookup().findVarHandle(Workers.class, "left", int.class);
            DONE = MethodHandles.lookup().findVarHandle(Workers.class, "done", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final Worker[] workers;
    private Tiles task = (tile, thread) -> {};

    /** Tiles not yet taken. A positive value taken from it names a tile of the current operation, which cannot end before that tile is done. */
    private volatile int left;

    private volatile int done;
    private volatile @Nullable Thread waiting;
    private volatile @Nullable Throwable failure;
    private volatile boolean closed;

    Workers(int threads) {
        workers = new Worker[threads - 1];
        for (int i = 0; i < workers.length; i++) {
            workers[i] = new Worker(i + 1);
            workers[i].start();
        }
    }

    int threads() {
        return workers.length + 1;
    }

    /** Runs all tiles and returns when the last is done; rethrows what a tile threw. */
    void run(Tiles tiles, int count) {
        if (workers.length == 0 || count <= 1) {
            for (int tile = 0; tile < count; tile++) {
                tiles.run(tile, 0);
            }
            return;
        }
        task = tiles;
        done = 0;
        left = count;
        int helpers = Math.min(workers.length, count - 1);
        for (int i = 0; i < helpers; i++) {
            workers[i].wake();
        }
        takeTiles(0);
        awaitDone(count);
        Throwable thrown = failure;
        if (thrown != null) {
            failure = null;
            throw new IllegalStateException("a CPU kernel failed: " + thrown, thrown);
        }
    }

    private void takeTiles(int thread) {
        while (left > 0) {
            int tile = (int) LEFT.getAndAdd(this, -1) - 1;
            if (tile < 0) {
                return;
            }
            try {
                task.run(tile, thread);
            } catch (Throwable e) {
                failure = e;
            }
            int unused = (int) DONE.getAndAdd(this, 1);
        }
    }

    private void awaitDone(int count) {
        for (int spin = 0; spin < SPINS; spin++) {
            if (done == count) {
                return;
            }
            Thread.onSpinWait();
        }
        waiting = Thread.currentThread();
        while (done != count) {
            LockSupport.park(this);
        }
        waiting = null;
    }

    @Override
    public void close() {
        closed = true;
        for (Worker worker : workers) {
            LockSupport.unpark(worker);
        }
        boolean interrupted = false;
        for (Worker worker : workers) {
            try {
                worker.join(CLOSE_TIMEOUT_MS);
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private final class Worker extends Thread {
        private final int thread;
        private volatile boolean parked;

        Worker(int thread) {
            super("penstock-cpu-" + thread);
            this.thread = thread;
            setDaemon(true);
        }

        void wake() {
            if (parked) {
                LockSupport.unpark(this);
            }
        }

        @Override
        public void run() {
            while (!closed) {
                awaitWork();
                takeTiles(thread);
                Thread caller = waiting;
                if (caller != null) {
                    LockSupport.unpark(caller);
                }
            }
        }

        private void awaitWork() {
            for (int spin = 0; spin < SPINS; spin++) {
                if (left > 0 || closed) {
                    return;
                }
                Thread.onSpinWait();
            }
            parked = true;
            while (left <= 0 && !closed) {
                LockSupport.park(Workers.this);
            }
            parked = false;
        }
    }
}
