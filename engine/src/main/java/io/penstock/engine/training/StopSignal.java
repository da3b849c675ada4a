package io.penstock.engine.training;

import java.util.concurrent.atomic.AtomicInteger;

/** Asks the ranks of one JVM to leave a run before its last step, all after the same one. Any thread may ask. */
public final class StopSignal {
    private static final int NEVER = Integer.MAX_VALUE;

    private final AtomicInteger lastStep = new AtomicInteger(NEVER);
    private volatile boolean requested;

    public void request() {
        requested = true;
    }

    /**
     * Whether a rank that has done {@code done} steps leaves now. The first rank that sees the request chooses the step after its own: no rank can be past it, for the end of
     * a step needs every rank.
     */
    boolean leavesAfter(int done) {
        if (requested) {
            lastStep.compareAndSet(NEVER, done + 1);
        }
        return done >= lastStep.get();
    }
}
