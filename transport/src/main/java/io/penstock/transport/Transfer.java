package io.penstock.transport;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * A posted send or receive; a reusable handle that belongs to its endpoint. The poster fills it, the mover (the thread that has the turn, or
 * the second poster in memory) advances {@link #moved} and ends it, the waiter gives it back. The volatile state hands the fields over.
 */
public sealed class Transfer permits StagedTransfer {
    static final Tag NO_TAG = new Tag(Kind.CONTROL, 0);

    /** Life of a transfer; POSTED ends in DONE or FAILED, and only DONE goes back to FREE. */
    enum State {
        FREE,
        POSTED,
        DONE,
        FAILED
    }

    volatile State state = State.FREE;
    /** In memory: taken out of its lane by a mover that is not through with it, and may touch its bytes. */
    volatile boolean moving;

    private volatile @Nullable Thread waiter;

    boolean outgoing;
    int peer;
    Tag tag = NO_TAG;
    int step;
    int microBatch;
    MemorySegment memory = MemorySegment.NULL;
    long offset;
    long length;
    /** Bytes moved so far; only the mover writes. */
    long moved;
    /** A send from shared memory: done when the receiver has taken so many pieces of the lane; only the mover touches it. */
    long lastPiece;
    /** A send that both ends copy: done when the receiver has it whole; only the mover touches it. */
    boolean crosses;
    /** The next of the same queue; only the owner of the queue touches it. */
    @Nullable
    Transfer next;

    @Nullable
    TransportException problem;

    /** Of memory that the host cannot address: whose it is, what its device was asked for before, and who copies. */
    @Nullable
    DeviceLink device;

    long mark;

    @Nullable
    DeviceLink starter;

    long copy;

    Transfer() {}

    void post(
            boolean outgoing,
            int peer,
            Tag tag,
            int step,
            int microBatch,
            MemorySegment memory,
            long offset,
            long length) {
        this.outgoing = outgoing;
        this.peer = peer;
        this.tag = tag;
        this.step = step;
        this.microBatch = microBatch;
        this.memory = memory;
        this.offset = offset;
        this.length = length;
        moved = 0;
        lastPiece = 0;
        crosses = false;
        next = null;
        device = null;
        starter = null;
        state = State.POSTED;
    }

    void complete() {
        end(State.DONE);
    }

    void fail(TransportException why) {
        problem = why;
        end(State.FAILED);
    }

    private void end(State last) {
        // Read before the state is set: afterwards the waiter may free the transfer and another may own it.
        Thread before = waiter;
        moving = false;
        state = last;
        Thread after = before == null ? waiter : before;
        if (after != null && after != Thread.currentThread()) {
            LockSupport.unpark(after);
        }
    }

    void waiter(@Nullable Thread thread) {
        waiter = thread;
    }

    void free() {
        memory = MemorySegment.NULL;
        tag = NO_TAG;
        state = State.FREE;
    }

    /** What both sides must agree on, for example {@code GRADIENT chunk 0, step 17, micro-batch 3, 4096 bytes}. */
    String content() {
        return describe(tag.kind().wire(), tag.chunk(), step, microBatch, length)
                + (device == null ? "" : " of a device");
    }

    static String describe(int kind, int chunk, int step, int microBatch, long length) {
        return Kind.nameOf(kind) + " chunk " + chunk + ", step " + step + ", micro-batch " + microBatch + ", " + length
                + " bytes";
    }

    @Override
    public String toString() {
        return content() + (outgoing ? " to rank " : " from rank ") + peer;
    }
}
