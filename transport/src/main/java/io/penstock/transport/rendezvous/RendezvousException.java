package io.penstock.transport.rendezvous;

import io.penstock.transport.TransportException;

/** A rank could not join, or not all came in time; the message says which and why. */
public final class RendezvousException extends TransportException {
    public RendezvousException(String message) {
        super(message);
    }

    public RendezvousException(String message, Throwable cause) {
        super(message, cause);
    }
}
