package io.penstock.transport;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.agrona.concurrent.IdleStrategy;

/**
 * How long a thread that polls may park between two looks: a sixteenth of the time that it has found nothing, so that the wait grows by so
 * much at most, but not under 10 microseconds nor over one millisecond. As Aeron's idle strategy it yields for a moment first, since bytes
 * come in trains.
 */
public final class Patience implements IdleStrategy {
    private static final long MIN_PARK_NS = TimeUnit.MICROSECONDS.toNanos(10);
    private static final long MAX_PARK_NS = TimeUnit.MILLISECONDS.toNanos(1);
    /** How long a thread yields before it parks, unless it is told otherwise. */
    static final long YIELD_NS = TimeUnit.MICROSECONDS.toNanos(20);

    private long idleSinceNs;
    private boolean isIdle;

    static long parkNs(long idleNs) {
        return Math.clamp(idleNs / 16, MIN_PARK_NS, MAX_PARK_NS);
    }

    @Override
    public void idle(int workCount) {
        if (workCount > 0) {
            reset();
        } else {
            idle();
        }
    }

    @Override
    @SuppressWarnings("ThreadPriorityCheck")
    public void idle() {
        long nowNs = System.nanoTime();
        if (!isIdle) {
            isIdle = true;
            idleSinceNs = nowNs;
        }
        long idleNs = nowNs - idleSinceNs;
        if (idleNs < YIELD_NS) {
            Thread.yield();
        } else {
            LockSupport.parkNanos(this, parkNs(idleNs));
        }
    }

    @Override
    public void reset() {
        isIdle = false;
    }

    @Override
    public String alias() {
        return "patience";
    }
}
