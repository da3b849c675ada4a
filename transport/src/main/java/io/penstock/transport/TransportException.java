package io.penstock.transport;

/** Something between the ranks went wrong; terminal for the endpoint that threw it. */
public class TransportException extends RuntimeException {
    public TransportException(String message) {
        super(message);
    }

    public TransportException(String message, Throwable cause) {
        super(message, cause);
    }
}
