package io.penstock.engine.launch;

/** The environment of a rank's process is not what a launcher sets: bad input. */
public final class EnvironmentException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    EnvironmentException(String message) {
        super(message);
    }
}
