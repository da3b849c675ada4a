package io.penstock.transport;

import io.aeron.ExclusivePublication;
import io.aeron.Publication;
import io.aeron.logbuffer.BufferClaim;
import java.lang.foreign.MemorySegment;
import org.agrona.MutableDirectBuffer;

/** Sends of one lane to one peer, cut into frames that are written straight into the log buffer; of the agent thread. */
final class OutboundLane {
    /** Frames in one go, so that no lane keeps the others and the heartbeats waiting for long. */
    private static final int BURST_FRAMES = 32;

    private final AgentContext context;
    private final int peer;
    private final ExclusivePublication publication;
    private final int maxPayloadBytes;
    private final BufferClaim claim = new BufferClaim();
    private final TransferQueue queue = new TransferQueue();
    private long sequence;
    private long blockedSinceNs;
    private boolean blocked;

    OutboundLane(AgentContext context, int peer, ExclusivePublication publication) {
        this.context = context;
        this.peer = peer;
        this.publication = publication;
        this.maxPayloadBytes = publication.maxPayloadLength() - Frame.HEADER_BYTES;
    }

    void add(Transfer transfer) {
        queue.add(transfer);
    }

    boolean isIdle() {
        return queue.head() == null;
    }

    /** Returns the number of frames sent. */
    int pump(long nowNs) {
        int frames = 0;
        while (frames < BURST_FRAMES) {
            Transfer transfer = queue.head();
            if (transfer == null) {
                break;
            }
            int payload = (int) Math.min(transfer.length - transfer.moved, maxPayloadBytes);
            long position = publication.tryClaim(Frame.HEADER_BYTES + payload, claim);
            if (position < 0) {
                refused(position, nowNs);
                break;
            }
            write(transfer, payload);
            frames++;
            transfer.moved += payload;
            if (transfer.moved == transfer.length) {
                queue.remove();
                sequence++;
                context.counters().messageDone(transfer);
                transfer.complete();
            }
        }
        if (frames > 0) {
            unblocked(nowNs);
        }
        return frames;
    }

    private void write(Transfer transfer, int payload) {
        MutableDirectBuffer buffer = claim.buffer();
        int at = claim.offset();
        try {
            Frame.encode(
                    buffer,
                    at,
                    Frame.DATA,
                    transfer.tag.kind().wire(),
                    context.checksum() == null ? 0 : Frame.FLAG_CHECKSUM,
                    context.job(),
                    context.epoch(),
                    context.rank(),
                    transfer.step,
                    transfer.microBatch,
                    transfer.tag.chunk(),
                    sequence,
                    transfer.length,
                    transfer.moved);
            MemorySegment.copy(
                    transfer.memory,
                    transfer.offset + transfer.moved,
                    RawMemory.ALL,
                    buffer.addressOffset() + at + Frame.HEADER_BYTES,
                    payload);
            FrameChecksum checksum = context.checksum();
            if (checksum != null) {
                Frame.checksum(buffer, at, checksum.of(buffer, at, Frame.HEADER_BYTES + payload));
            }
            claim.commit();
        } catch (RuntimeException e) {
            claim.abort();
            throw e;
        }
    }

    private void refused(long position, long nowNs) {
        if (position == Publication.CLOSED || position == Publication.MAX_POSITION_EXCEEDED) {
            throw new TransportException("the stream to rank " + peer + " ended: " + Publication.errorString(position));
        }
        if (!blocked) {
            blocked = true;
            blockedSinceNs = nowNs;
        }
    }

    private void unblocked(long nowNs) {
        if (blocked) {
            blocked = false;
            context.counters().add(peer, Counter.BACK_PRESSURE_NS, nowNs - blockedSinceNs);
        }
    }
}
