package io.penstock.transport;

import org.jspecify.annotations.Nullable;

/** Posted and unmatched transfers from one rank to another in one lane: at any time sends or receives, never both. */
final class InMemoryLane {
    private final TransferQueue unmatched = new TransferQueue();

    /** Returns the oldest transfer of the other direction, now taken out, or null after queueing this one. */
    synchronized @Nullable Transfer match(Transfer posted) {
        Transfer other = unmatched.head();
        if (other == null || other.outgoing == posted.outgoing) {
            unmatched.add(posted);
            return null;
        }
        unmatched.remove();
        posted.moving = true;
        other.moving = true;
        return other;
    }

    /** Whether it was here: unmatched, and will stay so. */
    synchronized boolean withdraw(Transfer posted) {
        return unmatched.remove(posted);
    }
}
