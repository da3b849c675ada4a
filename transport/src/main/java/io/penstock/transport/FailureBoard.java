package io.penstock.transport;

import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * The one failure that ends the job, as far as known here. For a short grace after the first report an earlier one may still replace it
 * (see {@link Failure#precedes}); waits end only when it has settled, so that all ranks name the same culprit.
 */
final class FailureBoard {
    private record Entry(Failure failure, long settlesAtNs) {}

    private final long graceNs;
    private final AtomicReference<@Nullable Entry> entry = new AtomicReference<>();

    FailureBoard(long graceNs) {
        this.graceNs = graceNs;
    }

    /** Returns whether this changed what is known, so that it is worth telling others. */
    boolean report(Failure failure, long nowNs) {
        while (true) {
            Entry known = entry.get();
            if (known != null && (nowNs - known.settlesAtNs >= 0 || !failure.precedes(known.failure))) {
                return false;
            }
            Entry better = new Entry(failure, known == null ? nowNs + graceNs : known.settlesAtNs);
            if (entry.compareAndSet(known, better)) {
                return true;
            }
        }
    }

    /** The best known failure, settled or not. */
    @Nullable
    Failure known() {
        Entry known = entry.get();
        return known == null ? null : known.failure;
    }

    @Nullable
    Failure settled(long nowNs) {
        Entry known = entry.get();
        return known != null && nowNs - known.settlesAtNs >= 0 ? known.failure : null;
    }
}
