package io.penstock.models;

/** B sequences of T tokens: one unit through the pipeline. */
public record MicroBatchShape(int batch, int sequence) {
    public MicroBatchShape {
        if (batch < 1 || sequence < 1) {
            throw new IllegalArgumentException("micro-batch of " + batch + " sequences of " + sequence + " tokens");
        }
    }

    /** Tokens: B*T. */
    public long rows() {
        return (long) batch * sequence;
    }
}
