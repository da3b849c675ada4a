package io.penstock.transport;

import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * Ranks that live in one JVM: makes their endpoints and holds what they share. A message is copied once, from the posted source to the
 * posted destination, by the thread that posts second.
 */
public final class InMemoryFabric {
    private final int worldSize;
    private final InMemoryLane[] lanes;
    private final InMemoryEndpoint[] endpoints;
    private final AtomicIntegerArray done;
    /** Step and micro-batch of a rank in one long, and its activity in the next. */
    private final AtomicLongArray progress;

    final FailureBoard board = new FailureBoard(0);

    public InMemoryFabric(int worldSize, EndpointSettings settings) {
        if (worldSize < 1) {
            throw new IllegalArgumentException("worldSize=" + worldSize + " < 1");
        }
        this.worldSize = worldSize;
        this.done = new AtomicIntegerArray(worldSize);
        this.progress = new AtomicLongArray(2 * worldSize);
        this.lanes = new InMemoryLane[worldSize * worldSize * Kind.LANES];
        for (int i = 0; i < lanes.length; i++) {
            lanes[i] = new InMemoryLane();
        }
        this.endpoints = new InMemoryEndpoint[worldSize];
        for (int rank = 0; rank < worldSize; rank++) {
            endpoints[rank] = new InMemoryEndpoint(this, rank, settings);
            progress(rank, -1, -1, 0);
        }
    }

    public int worldSize() {
        return worldSize;
    }

    /** The endpoint of a rank; always the same one. */
    public Endpoint endpoint(int rank) {
        return endpoints[rank];
    }

    InMemoryLane lane(int source, int destination, Kind kind) {
        return lanes[(source * worldSize + destination) * Kind.LANES + kind.lane()];
    }

    EndpointCounters counters(int rank) {
        return endpoints[rank].counters();
    }

    void progress(int rank, int step, int microBatch, int activity) {
        progress.set(2 * rank, (long) step << 32 | (microBatch & 0xFFFF_FFFFL));
        progress.set(2 * rank + 1, activity);
    }

    Progress progressOf(int rank) {
        long where = progress.get(2 * rank);
        return new Progress((int) (where >> 32), (int) where, (int) progress.get(2 * rank + 1));
    }

    void done(int rank) {
        done.set(rank, 1);
    }

    boolean isDone(int rank) {
        return done.get(rank) == 1;
    }

    void fail(int culprit, int reporter, String reason) {
        Failure failure = new Failure(culprit, reporter, System.currentTimeMillis(), progressOf(culprit), reason);
        board.report(failure, System.nanoTime());
    }
}
