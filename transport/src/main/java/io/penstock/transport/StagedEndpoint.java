package io.penstock.transport;

import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;

/**
 * An endpoint for memory that the host cannot address. A message goes in chunks, each a message of the endpoint below, so that the chunks of one are on different legs at once:
 *
 * <pre>
 *   device --copy--> staging --endpoint below--> staging --copy--> device
 * </pre>
 *
 * A send reads what the device is asked for before it; what the device is asked for after {@link #await} of a receive finds the bytes there, though this thread did not wait for the last
 * copy. Both ends of a message must be staged. All calls are of one thread. Staging memory is allocated when more messages are under way than before, and kept. Does not close the
 * endpoint below.
 *
 * <p>No rank waits for another in a ring: before this thread blocks, all its sends are with the endpoint below.
 */
public final class StagedEndpoint extends EndpointAbove {
    private static final int LEAST_CLASS = 12;

    private final Endpoint below;
    private final Staging staging;
    private final long chunkBytes;
    /** Sends with chunks that are not with the endpoint below yet, in order of posting: the order of a lane. */
    private final ArrayDeque<StagedTransfer> leaving = new ArrayDeque<>();
    /** Everything that is posted and not done. */
    private final List<StagedTransfer> active = new ArrayList<>();

    private final ArrayDeque<StagedTransfer> free = new ArrayDeque<>();
    /** By power of two: buffers that no message uses; the device may still read the oldest. */
    private final List<ArrayDeque<StagedTransfer.Buffer>> buffers = new ArrayList<>();

    /** {@code chunkBytes}: of a message on one leg at a time; more of a large one. */
    public StagedEndpoint(Endpoint below, Staging staging, long chunkBytes) {
        super(below);
        this.below = below;
        this.staging = staging;
        this.chunkBytes = chunkBytes;
        for (int i = 0; i < Long.SIZE; i++) {
            buffers.add(new ArrayDeque<>());
        }
    }

    @Override
    public Transfer send(int peer, Tag tag, int step, int microBatch, MemorySegment source, long offset, long length) {
        StagedTransfer transfer = take(length);
        transfer.post(true, peer, tag, step, microBatch, source, offset, length);
        for (int i = 0; i < transfer.chunks; i++) {
            if (transfer.bytesOf(i) > 0) {
                transfer.copies[i] = staging.startDownload(
                        transfer.buffer.memory(),
                        transfer.begin(i),
                        source,
                        offset + transfer.begin(i),
                        transfer.bytesOf(i));
            }
        }
        active.add(transfer);
        leaving.addLast(transfer);
        move();
        return transfer;
    }

    @Override
    public Transfer receive(
            int peer, Tag tag, int step, int microBatch, MemorySegment destination, long offset, long length) {
        StagedTransfer transfer = take(length);
        transfer.post(false, peer, tag, step, microBatch, destination, offset, length);
        for (int i = 0; i < transfer.chunks; i++) {
            transfer.wires[i] = below.receive(
                    peer, tag, step, microBatch, transfer.buffer.memory(), transfer.begin(i), transfer.bytesOf(i));
        }
        transfer.posted = transfer.chunks;
        active.add(transfer);
        move();
        return transfer;
    }

    private StagedTransfer take(long length) {
        StagedTransfer transfer = free.isEmpty() ? new StagedTransfer() : free.removeLast();
        int power = Math.max(LEAST_CLASS, Long.SIZE - Long.numberOfLeadingZeros(Math.max(1, length) - 1));
        StagedTransfer.Buffer buffer = buffers.get(power).pollFirst();
        if (buffer == null) {
            buffer = new StagedTransfer.Buffer(staging.allocate(1L << power), power);
        }
        if (buffer.lastCopy >= 0) {
            // it was read by the device when its last message came in
            staging.await(buffer.lastCopy);
            buffer.lastCopy = -1;
        }
        transfer.begin(buffer, length, chunkBytes);
        return transfer;
    }

    /** Takes every message as far as it goes without waiting; returns whether one went on. */
    private boolean move() {
        boolean moved = leave();
        for (int i = 0; i < active.size(); i++) {
            StagedTransfer transfer = active.get(i);
            moved |= arrive(transfer);
            if (transfer.finished == transfer.chunks) {
                end(transfer, i--);
            }
        }
        return moved;
    }

    /** Gives the endpoint below the chunks that are on the host, in order. */
    private boolean leave() {
        boolean moved = false;
        StagedTransfer first = leaving.peekFirst();
        while (first != null && (first.bytesOf(first.posted) == 0 || staging.isDone(first.copies[first.posted]))) {
            moved = true;
            int i = first.posted++;
            first.wires[i] = below.send(
                    first.peer,
                    first.tag,
                    first.step,
                    first.microBatch,
                    first.buffer.memory(),
                    first.begin(i),
                    first.bytesOf(i));
            if (first.posted == first.chunks) {
                leaving.removeFirst();
                first = leaving.peekFirst();
            }
        }
        return moved;
    }

    private boolean arrive(StagedTransfer transfer) {
        boolean moved = false;
        while (transfer.finished < transfer.posted && below.isDone(transfer.wire())) {
            finishChunk(transfer);
            moved = true;
        }
        return moved;
    }

    /** Takes the next chunk off the endpoint below, which may wait for it. */
    private void finishChunk(StagedTransfer transfer) {
        int i = transfer.finished;
        below.await(transfer.wire());
        transfer.finished++;
        transfer.wires[i] = null;
        if (!transfer.outgoing && transfer.bytesOf(i) > 0) {
            transfer.buffer.lastCopy = staging.startUpload(
                    transfer.memory,
                    transfer.offset + transfer.begin(i),
                    transfer.buffer.memory(),
                    transfer.begin(i),
                    transfer.bytesOf(i));
        }
    }

    private void end(StagedTransfer transfer, int place) {
        active.set(place, active.getLast());
        active.removeLast();
        transfer.complete();
    }

    @Override
    public void await(Transfer posted) {
        StagedTransfer transfer = (StagedTransfer) posted;
        while (transfer.state != Transfer.State.DONE) {
            if (!move() && transfer.state != Transfer.State.DONE) {
                block(transfer);
            }
        }
        StagedTransfer.Buffer buffer = transfer.buffer;
        if (buffer.lastCopy >= 0) {
            staging.orderAfter(buffer.lastCopy);
        }
        buffers.get(buffer.power).addLast(buffer);
        transfer.free();
        free.addLast(transfer);
    }

    private void block(StagedTransfer transfer) {
        StagedTransfer first = leaving.peekFirst();
        if (first != null) {
            staging.await(first.copies[first.posted]);
        } else {
            finishChunk(transfer);
        }
    }

    @Override
    public boolean isDone(Transfer transfer) {
        if (transfer.state != Transfer.State.DONE) {
            move();
        }
        return transfer.state == Transfer.State.DONE;
    }

    @Override
    public void progress(int step, int microBatch, int activity) {
        super.progress(step, microBatch, activity);
        move();
    }

    @Override
    public void close() {
        staging.close();
    }
}
