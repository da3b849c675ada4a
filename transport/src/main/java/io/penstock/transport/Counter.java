package io.penstock.transport;

/** What an endpoint counts for each stream, that is peer and lane. */
public enum Counter {
    MESSAGES_SENT(0),
    MESSAGES_RECEIVED(1),
    BYTES_SENT(2),
    BYTES_RECEIVED(3),
    /** Time in which a posted send found no room, because the peer had not made any or was not there yet. */
    BACK_PRESSURE_NS(4),
    /** Time in which a thread of this rank stood in {@link Endpoint#await} for this peer. */
    WAIT_NS(5),
    /** Frames of another job or epoch, or of no known form, which were thrown away. */
    FRAMES_REFUSED(6),
    /** Bytes that were lost on the way from the peer and asked for again; as of the last heartbeat. */
    BYTES_LOST(7);

    final int slot;

    Counter(int slot) {
        this.slot = slot;
    }
}
