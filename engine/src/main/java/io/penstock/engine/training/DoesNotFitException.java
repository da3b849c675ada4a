package io.penstock.engine.training;

/** A rank needs more memory than it may have; the message has the numbers and what would help. */
public final class DoesNotFitException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public DoesNotFitException(String message) {
        super(message);
    }
}
