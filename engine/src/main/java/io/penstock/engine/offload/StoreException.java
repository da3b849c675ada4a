package io.penstock.engine.offload;

import java.io.IOException;

/** A store cannot be had: no room or no permission. The message has the place, the numbers and what would help. */
public final class StoreException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    StoreException(String message) {
        super(message);
    }

    StoreException(String message, Throwable cause) {
        super(message, cause);
    }

    static StoreException unusable(StoreSettings settings, IOException cause) {
        return new StoreException(
                settings.owner() + " cannot be kept in " + settings.directory() + " (" + cause
                        + "): name another folder in cluster.offload_store.directory",
                cause);
    }
}
