package io.penstock.transport;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The right to move the bytes of an endpoint: of one thread at a time, the transport thread or one that waits for a transfer. Who has it
 * owns every lane. Nobody blocks for it: who does not get it leaves its work to who has it.
 */
final class Turn {
    private final AtomicBoolean taken = new AtomicBoolean();
    private final AtomicInteger wanted = new AtomicInteger();

    boolean tryTake() {
        return !taken.get() && taken.compareAndSet(false, true);
    }

    void giveBack() {
        taken.set(false);
    }

    /** Between the two, the transport thread does not take the turn again. */
    void want() {
        wanted.incrementAndGet();
    }

    void unwant() {
        wanted.decrementAndGet();
    }

    boolean isWanted() {
        return wanted.get() > 0;
    }
}
