package io.penstock.tensor;

import java.util.Map;

/** An allocation would pass the rank's limit; the message prints owner, need, free and what the others hold. */
public final class OutOfDeviceMemoryException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    OutOfDeviceMemoryException(String owner, long bytes, long free, long limit, Map<String, Long> holders) {
        super(owner + " needs " + bytes + " bytes, " + free + " of the limit of " + limit + " are free; held: "
                + holders + "; smaller micro-batches, more stages or activation checkpointing need less");
    }

    /** The device was full before the limit was reached. */
    OutOfDeviceMemoryException(
            String owner, long bytes, long free, long limit, Map<String, Long> holders, DeviceFullException cause) {
        this(owner, bytes, free, limit, holders);
        initCause(cause);
    }
}
