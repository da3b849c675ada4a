package io.penstock.transport;

import java.lang.foreign.MemorySegment;
import java.util.Optional;

/** An endpoint that changes how messages travel, and leaves all else to the one below, which it does not close. */
abstract class EndpointAbove implements Endpoint {
    private final Endpoint below;

    EndpointAbove(Endpoint below) {
        this.below = below;
    }

    @Override
    public final int rank() {
        return below.rank();
    }

    @Override
    public final int worldSize() {
        return below.worldSize();
    }

    /** Host memory, as below. */
    @Override
    public final Optional<MemorySegment> allocate(long bytes) {
        return below.allocate(bytes);
    }

    @Override
    public void progress(int step, int microBatch, int activity) {
        below.progress(step, microBatch, activity);
    }

    @Override
    public final void check() {
        below.check();
    }

    @Override
    public final void announceFailure(String reason) {
        below.announceFailure(reason);
    }

    @Override
    public final void announceDone() {
        below.announceDone();
    }

    /** Of the messages below. */
    @Override
    public final EndpointCounters counters() {
        return below.counters();
    }
}
