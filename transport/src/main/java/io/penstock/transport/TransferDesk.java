package io.penstock.transport;

import java.lang.foreign.MemorySegment;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.agrona.concurrent.ManyToManyConcurrentArrayQueue;
import org.jspecify.annotations.Nullable;

/** The compute side of every endpoint: hands out transfers from a fixed pool and waits for them, for a limited time. */
final class TransferDesk {
    /** How often a failure that has not settled is looked at. */
    private static final long LOOK_NS = TimeUnit.MILLISECONDS.toNanos(10);

    /** Never started: memory that it may access is memory that any thread may access. */
    private static final Thread ANY_THREAD = Thread.ofPlatform().unstarted(() -> {});

    private final int rank;
    private final EndpointSettings settings;
    private final FailureBoard board;
    private final Peers peers;
    private final Waiting waiting;
    private final EndpointCounters counters;
    private final ManyToManyConcurrentArrayQueue<Transfer> free;
    private volatile boolean closed;

    /** What the endpoint knows of its peers when a wait does not end. */
    interface Peers {
        /** Whether the peer left properly, and so long ago that it cannot end a wait of this age any more. */
        boolean leftWithoutThis(Transfer transfer, long waitedNs);

        Progress progressOf(int peer);
    }

    /** How a thread spends the time until its transfer ends; the thread is woken then if it parks. */
    interface Waiting {
        /** Returns when the transfer has ended, or after some milliseconds. */
        void pass(Transfer transfer, long waitedNs);

        /** The run is lost: returns when no peer touches memory of this rank any more. */
        default void fence() {}
    }

    TransferDesk(int rank, int worldSize, EndpointSettings settings, FailureBoard board, Peers peers, Waiting waiting) {
        this.rank = rank;
        this.settings = settings;
        this.board = board;
        this.peers = peers;
        this.waiting = waiting;
        this.counters = new EndpointCounters(worldSize);
        this.free = new ManyToManyConcurrentArrayQueue<>(settings.transfers());
        for (int i = 0; i < settings.transfers(); i++) {
            free.add(new Transfer());
        }
    }

    EndpointCounters counters() {
        return counters;
    }

    void close() {
        closed = true;
    }

    Transfer take(
            boolean outgoing,
            int peer,
            Tag tag,
            int step,
            int microBatch,
            MemorySegment memory,
            long offset,
            long length) {
        if (peer < 0 || peer >= counters.worldSize() || peer == rank) {
            throw new IllegalArgumentException(
                    "peer=" + peer + " is not another rank for rank " + rank + " of " + counters.worldSize());
        }
        Objects.checkFromIndexSize(offset, length, memory.byteSize());
        if (!memory.isNative() || !memory.isAccessibleBy(ANY_THREAD)) {
            throw new IllegalArgumentException(
                    "memory must be native and of an arena that any thread may use (not a confined one): " + memory);
        }
        if (!outgoing && memory.isReadOnly()) {
            throw new IllegalArgumentException("cannot receive into read-only memory: " + memory);
        }
        check();
        Transfer transfer = free.poll();
        if (transfer == null) {
            throw new IllegalStateException("rank " + rank + " has all its " + settings.transfers()
                    + " transfers in flight: await some, or raise EndpointSettings.transfers");
        }
        transfer.post(outgoing, peer, tag, step, microBatch, memory, offset, length);
        return transfer;
    }

    void check() {
        if (closed) {
            throw new IllegalStateException("the endpoint of rank " + rank + " is closed");
        }
        if (board.known() != null) {
            Failure failure = awaitSettled();
            waiting.fence();
            throw lost(failure, null, 0);
        }
    }

    /** Spends the grace of a failure that is known and not settled. */
    private Failure awaitSettled() {
        while (true) {
            Failure failure = board.settled(System.nanoTime());
            if (failure != null) {
                return failure;
            }
            LockSupport.parkNanos(this, LOOK_NS);
        }
    }

    void await(Transfer transfer) {
        awaitEnd(transfer);
        release(transfer);
    }

    /** Returns when the transfer is done, and keeps it. */
    void awaitEnd(Transfer transfer) {
        if (transfer.state == Transfer.State.DONE) {
            return;
        }
        long startNs = System.nanoTime();
        transfer.waiter(Thread.currentThread());
        try {
            awaitEnd(transfer, startNs);
        } finally {
            transfer.waiter(null);
            counters.add(transfer.peer, transfer.tag.kind().lane(), Counter.WAIT_NS, System.nanoTime() - startNs);
        }
    }

    private void awaitEnd(Transfer transfer, long startNs) {
        while (true) {
            switch (transfer.state) {
                case DONE -> {
                    return;
                }
                case FAILED -> throw Objects.requireNonNull(transfer.problem);
                case FREE -> throw new IllegalStateException("this transfer was awaited before");
                case POSTED -> {}
            }
            long nowNs = System.nanoTime();
            checkWait(transfer, nowNs, nowNs - startNs);
            waiting.pass(transfer, nowNs - startNs);
        }
    }

    private void checkWait(Transfer transfer, long nowNs, long waitedNs) {
        Failure failure = board.settled(nowNs);
        if (failure != null) {
            // A transfer that ended in the same moment is still good, and a protocol error says more.
            if (transfer.state == Transfer.State.POSTED) {
                waiting.fence();
                throw lost(failure, transfer, waitedNs);
            }
            return;
        }
        if (closed) {
            throw new IllegalStateException(
                    "the endpoint of rank " + rank + " was closed during a wait for " + transfer);
        }
        if (Thread.currentThread().isInterrupted()) {
            throw new TransportException("rank " + rank + " was interrupted while it waited for " + transfer);
        }
        if (peers.leftWithoutThis(transfer, waitedNs) && transfer.state == Transfer.State.POSTED) {
            throw lost(failureOf(transfer.peer, "it announced that it was done"), transfer, waitedNs);
        }
        if (waitedNs > settings.waitLimitNs()) {
            String reason = "it is alive, but a wait for it passed the limit of " + seconds(settings.waitLimitNs());
            throw lost(failureOf(transfer.peer, reason), transfer, waitedNs);
        }
    }

    private Failure failureOf(int peer, String reason) {
        return new Failure(peer, rank, System.currentTimeMillis(), peers.progressOf(peer), reason);
    }

    private PeerLostException lost(Failure failure, @Nullable Transfer transfer, long waitedNs) {
        String waitingFor = transfer == null ? "" : transfer.toString();
        String wait = transfer == null
                ? ""
                : "; rank " + rank + " waited " + seconds(waitedNs) + " for " + waitingFor + ", " + transfer.moved
                        + " bytes of which had moved";
        String who = failure.rank() == rank ? "this very rank was given up: " : "";
        return new PeerLostException(
                who + failure.describe(settings.activityNames()) + wait, failure, waitingFor, waitedNs);
    }

    void release(Transfer transfer) {
        transfer.free();
        free.offer(transfer);
    }

    static String seconds(long ns) {
        return Math.round(ns / 1e8) / 10.0 + " s";
    }
}
