package io.penstock.transport;

import java.util.Objects;

/**
 * Says what a message is, on both sides; sender and receiver must agree. Make tags once, when a schedule is compiled, not per message.
 *
 * @param kind what the bytes mean, which also picks the lane
 * @param chunk the model chunk (virtual stage) it belongs to, or the number of the operation for collectives
 */
public record Tag(Kind kind, int chunk) {
    public Tag {
        Objects.requireNonNull(kind);
        if (chunk < 0) {
            throw new IllegalArgumentException("chunk=" + chunk + " < 0");
        }
    }

    @Override
    public String toString() {
        return kind + " chunk " + chunk;
    }
}
