package io.penstock.transport;

/** Sender and receiver disagree on what comes next: the message prints both sides. A defect of the schedule, not of the network. */
public final class ProtocolException extends TransportException {
    public ProtocolException(String message) {
        super(message);
    }
}
