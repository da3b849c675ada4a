package io.penstock.transport;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLongArray;

/** What a rank knows of each rank, itself included; written by the thread that has the turn (own progress: any), read by all. */
final class PeerTable implements TransferDesk.Peers {
    /** Time for bytes that were on their way when their sender announced that it was done. */
    private static final long LATE_BYTES_NS = TimeUnit.SECONDS.toNanos(1);

    private final AtomicLongArray where;
    private final AtomicLongArray activity;
    /** Time of the announcement, 0 before it. */
    private final AtomicLongArray doneAtNs;

    private final long[] heardAtNs;
    private final boolean[] heard;
    private final boolean[] sawMyDone;

    PeerTable(int worldSize, long nowNs) {
        where = new AtomicLongArray(worldSize);
        activity = new AtomicLongArray(worldSize);
        doneAtNs = new AtomicLongArray(worldSize);
        heardAtNs = new long[worldSize];
        heard = new boolean[worldSize];
        sawMyDone = new boolean[worldSize];
        for (int rank = 0; rank < worldSize; rank++) {
            heardAtNs[rank] = nowNs;
            progress(rank, -1, -1, 0);
        }
    }

    void progress(int rank, int step, int microBatch, int what) {
        where.setOpaque(rank, (long) step << 32 | (microBatch & 0xFFFF_FFFFL));
        activity.setOpaque(rank, what);
    }

    @Override
    public Progress progressOf(int rank) {
        return new Progress(stepOf(rank), microBatchOf(rank), activityOf(rank));
    }

    /** Step and micro-batch in one. */
    long whereOf(int rank) {
        return where.getOpaque(rank);
    }

    int stepOf(int rank) {
        return (int) (where.getOpaque(rank) >> 32);
    }

    int microBatchOf(int rank) {
        return (int) where.getOpaque(rank);
    }

    int activityOf(int rank) {
        return (int) activity.getOpaque(rank);
    }

    void heard(int peer, long nowNs) {
        heardAtNs[peer] = nowNs;
        heard[peer] = true;
    }

    boolean wasHeard(int peer) {
        return heard[peer];
    }

    long silentNs(int peer, long nowNs) {
        return nowNs - heardAtNs[peer];
    }

    void forgive(long gapNs) {
        for (int peer = 0; peer < heardAtNs.length; peer++) {
            heardAtNs[peer] += gapNs;
        }
    }

    /** Returns whether this is news. */
    boolean done(int peer, long nowNs) {
        return doneAtNs.compareAndSet(peer, 0, nowNs == 0 ? 1 : nowNs);
    }

    boolean isDone(int peer) {
        return doneAtNs.get(peer) != 0;
    }

    void setSawMyDone(int peer) {
        sawMyDone[peer] = true;
    }

    boolean sawMyDone(int peer) {
        return sawMyDone[peer];
    }

    @Override
    public boolean leftWithoutThis(Transfer transfer, long waitedNs) {
        long leftAtNs = doneAtNs.get(transfer.peer);
        return leftAtNs != 0
                && waitedNs > LATE_BYTES_NS
                && System.nanoTime() - leftAtNs > LATE_BYTES_NS
                && (transfer.outgoing || transfer.moved == 0);
    }
}
