package io.penstock.partitioner.simulate;

import io.penstock.partitioner.PlanException;

/**
 * The way from one rank to another, which carries one message at a time.
 *
 * @param latencySeconds from the last byte's start to its arrival
 * @param secondsPerMessage for which a message keeps the way busy: its bytes by the bandwidth
 * @param overlapped whether the sender computes on meanwhile; else it waits until its message has left
 */
public record Link(double latencySeconds, double secondsPerMessage, boolean overlapped) {
    public static final Link FREE = new Link(0, 0, true);

    public Link {
        if (!(latencySeconds >= 0) || !(secondsPerMessage >= 0) || Double.isInfinite(secondsPerMessage)) {
            throw new PlanException("a link with a latency of " + latencySeconds + " s that takes " + secondsPerMessage
                    + " s a message: give a bandwidth above zero");
        }
    }

    /** Of a bandwidth and message size. */
    public static Link of(double latencySeconds, double bytes, double bytesPerSecond, boolean overlapped) {
        return new Link(latencySeconds, bytes / bytesPerSecond, overlapped);
    }
}
