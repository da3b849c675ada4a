package io.penstock.engine.launch;

/** A rank's process ended badly; {@link #exitCode} is what the launcher should end with. */
public final class RankFailedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final int exitCode;

    RankFailedException(String message, int exitCode) {
        super(message);
        this.exitCode = exitCode;
    }

    public int exitCode() {
        return exitCode;
    }
}
