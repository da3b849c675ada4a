package io.penstock.jmh;

import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** What the machine allows an operation bound by memory: its {@link Traffic} on as many threads, which take pieces from a counter as the backend's do. */
@State(Scope.Benchmark)
public class TrafficFloor {
    /** Pieces that a thread takes at once. */
    private static final long SHARE = 8;

    private final AtomicLong next = new AtomicLong(Long.MAX_VALUE);
    private final AtomicLong done = new AtomicLong();
    private Thread[] helpers = {};
    private volatile Traffic traffic = new Traffic(List.of(), List.of(), List.of());
    private volatile long pieces;
    private volatile boolean closed;

    /** What was read, so that it is. */
    public volatile int sum;

    @Setup
    public void setup(Setting setting) {
        helpers = new Thread[setting.threads - 1];
        for (int i = 0; i < helpers.length; i++) {
            helpers[i] = new Thread(this::help, "floor-" + i);
            helpers[i].setDaemon(true);
            helpers[i].start();
        }
    }

    private void help() {
        while (!closed) {
            if (!takeShare()) {
                Thread.onSpinWait();
            }
        }
    }

    private boolean takeShare() {
        if (next.get() >= pieces) {
            return false;
        }
        long first = next.getAndAdd(SHARE);
        if (first >= pieces) {
            return false;
        }
        long end = Math.min(first + SHARE, pieces);
        sum = traffic.move(first, end, pieces);
        done.getAndAdd(end - first);
        return true;
    }

    void move(Traffic traffic) {
        this.traffic = traffic;
        pieces = traffic.pieces();
        done.set(0);
        next.set(0);
        while (takeShare()) {
            Thread.onSpinWait();
        }
        while (done.get() < pieces) {
            Thread.onSpinWait();
        }
        next.set(Long.MAX_VALUE / 2);
    }

    @TearDown
    public void tearDown() throws InterruptedException {
        closed = true;
        for (Thread helper : helpers) {
            helper.join();
        }
    }
}
