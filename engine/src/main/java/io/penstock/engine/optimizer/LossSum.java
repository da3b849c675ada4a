package io.penstock.engine.optimizer;

/**
 * A sum of losses that does not depend on the order of its terms: each is rounded once to a multiple of 2^-24 nats, and whole numbers add exactly. So the loss has the same bits
 * whoever sums which micro-batches.
 */
public final class LossSum {
    private static final double UNITS_PER_NAT = 1 << 24;
    /** Nats; the sum of as many terms as a step may have stays within a long. */
    private static final double LARGEST = 1L << 36;

    private long units;
    private boolean finite = true;

    public void clear() {
        units = 0;
        finite = true;
    }

    /** {@code nats}: the loss of one micro-batch. */
    public void add(double nats) {
        if (Math.abs(nats) < LARGEST) {
            units += Math.round(nats * UNITS_PER_NAT);
        } else {
            finite = false;
        }
    }

    /** Adds what {@link #high} and {@link #low} of another sum say. */
    void add(double high, double low) {
        if (Double.isNaN(high)) {
            finite = false;
        } else {
            units += ((long) high << 26) + (long) low;
        }
    }

    /** The upper bits as a number that a double holds exactly; not a number if a term was infinite or none. */
    double high() {
        return finite ? units >> 26 : Double.NaN;
    }

    /** The lower 26 bits. */
    double low() {
        return units & ((1 << 26) - 1);
    }

    /** Nats; not a number if a term was infinite or none. */
    public double nats() {
        return finite ? units / UNITS_PER_NAT : Double.NaN;
    }
}
