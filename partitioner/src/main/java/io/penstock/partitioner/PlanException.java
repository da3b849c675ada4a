package io.penstock.partitioner;

/** A plan that cannot be: too many stages, an impossible cluster, a schedule that deadlocks. The message has the numbers and the remedy. */
public final class PlanException extends RuntimeException {
    private final String message;

    public PlanException(String message) {
        super(message);
        this.message = message;
    }

    @Override
    public String getMessage() {
        return message;
    }
}
