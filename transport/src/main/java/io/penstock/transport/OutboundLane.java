package io.penstock.transport;

import io.aeron.ExclusivePublication;
import io.aeron.Publication;
import io.aeron.logbuffer.BufferClaim;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Objects;
import org.agrona.MutableDirectBuffer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends of one lane to one peer, of the thread that has the turn. Messages are cut into frames that are written straight into the log
 * buffer. Of large ones to a rank of this machine only descriptors go through the log: the bytes stay where they are if that is
 * {@link SharedMemory} or can be reached there ({@link CrossSends}), and go through a {@link Slab} if not.
 */
final class OutboundLane implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(OutboundLane.class);
    /** Frames in one go, so that no lane keeps the others and the heartbeats waiting for long. */
    private static final int BURST_FRAMES = 32;
    /** What a receiver copies from shared memory in one go; so long a copy passes the caches by and saves half of the writes. */
    private static final int SHARED_PIECE_BYTES = 8 << 20;

    private static final int SHARED_BELOW_BYTES = 512 << 10;

    private final AgentContext context;
    private final int peer;
    private final int lane;
    private final ExclusivePublication publication;
    private final Bells bells;
    private final AeronPaths paths;
    private final int maxPayloadBytes;
    private final SharedMemory shared;
    private final BufferClaim claim = new BufferClaim();
    private final TransferQueue queue = new TransferQueue();
    /** Announced from shared memory, not taken yet. */
    private final TransferQueue untaken = new TransferQueue();

    private final CrossSends cross;
    private final StreamFile.Stream stream;

    private long pieces;
    private @Nullable Slab slab;
    /** Messages so long or longer are copied by both ends, if they can be, and else go through the slab. */
    private long slabFromBytes;
    /** Messages so long or longer stay in shared memory, if they are there. */
    private final long sharedFromBytes;

    private final long crossFromBytes;

    private long sequence;
    private long blockedSinceNs;
    private boolean blocked;
    private boolean blockedBySlab;

    OutboundLane(
            AgentContext context,
            int peer,
            int lane,
            ExclusivePublication publication,
            Bells bells,
            AeronPaths paths,
            SharedMemory shared) {
        this.context = context;
        this.peer = peer;
        this.lane = lane;
        this.publication = publication;
        this.bells = bells;
        this.paths = paths;
        this.shared = shared;
        this.maxPayloadBytes = publication.maxPayloadLength() - Frame.HEADER_BYTES;
        this.slabFromBytes = paths.slabFromBytes(peer);
        this.stream = new StreamFile.Stream(context.job(), context.epoch(), context.rank(), peer, lane);
        boolean canShare = paths.isIpc(peer) && bells.own() != null && context.checksum() == null;
        this.sharedFromBytes = canShare ? paths.sharedFromBytes() : Long.MAX_VALUE;
        this.crossFromBytes = canShare ? paths.crossFromBytes() : Long.MAX_VALUE;
        this.cross = new CrossSends(context, paths, stream);
    }

    void add(Transfer transfer) {
        queue.add(transfer);
    }

    boolean isIdle() {
        return queue.head() == null && untaken.head() == null && cross.isIdle();
    }

    /** Whether only polling tells when there is room again. */
    boolean mustPoll() {
        return queue.head() != null && !blockedBySlab;
    }

    /** Returns the number of frames sent and of transfers that ended. */
    int pump(long nowNs) {
        int work = (untaken.head() == null ? 0 : endTaken()) + cross.endDone();
        int frames = 0;
        while (frames < BURST_FRAMES) {
            Transfer transfer = queue.head();
            if (transfer == null || !pumpFrame(transfer, nowNs)) {
                break;
            }
            frames++;
            if (transfer.moved == transfer.length) {
                queue.remove();
                sequence++;
                if (transfer.crosses) {
                    cross.add(transfer);
                } else if (transfer.lastPiece > 0) {
                    untaken.add(transfer);
                } else {
                    end(transfer);
                }
            }
        }
        if (frames > 0) {
            unblocked(nowNs);
            bells.ring(peer);
        }
        return work + frames;
    }

    /** Copies a piece for the peer, if it is ready for one. Returns work done. */
    int help() {
        return cross.help(bells) ? 1 : 0;
    }

    private void end(Transfer transfer) {
        context.counters().messageDone(transfer);
        transfer.complete();
    }

    private int endTaken() {
        long taken = Objects.requireNonNull(bells.own()).taken(peer, lane);
        int ended = 0;
        for (Transfer transfer = untaken.head(); transfer != null && transfer.lastPiece <= taken; ended++) {
            untaken.remove();
            end(transfer);
            transfer = untaken.head();
        }
        return ended;
    }

    private boolean pumpFrame(Transfer transfer, long nowNs) {
        int block = transfer.length >= sharedFromBytes
                ? shared.blockOf(transfer.memory.address() + transfer.offset, transfer.length)
                : SharedMemory.NOT_SHARED;
        // Of some hundred KiB, the receiver alone copies shared memory in less time than the kernel takes to find the
        // pages.
        boolean isBetterRead = block != SharedMemory.NOT_SHARED && transfer.length < SHARED_BELOW_BYTES;
        if (transfer.length >= crossFromBytes && transfer.moved == 0 && !isBetterRead) {
            switch (cross.state()) {
                case NEW -> {
                    return pumpOffer(transfer, nowNs);
                }
                case OFFERED -> {
                    refused(nowNs, true);
                    return false;
                }
                case OPEN -> {
                    if (cross.isReachable(transfer)) {
                        return pumpCross(transfer, nowNs);
                    }
                }
                case REFUSED -> {}
            }
        }
        if (block != SharedMemory.NOT_SHARED) {
            return pumpShared(transfer, block, nowNs);
        }
        Slab through = transfer.length >= slabFromBytes ? slab() : null;
        return through == null ? pumpPlain(transfer, nowNs) : pumpSlab(transfer, through, nowNs);
    }

    /** The message waits for the answer, which a bell tells of. */
    private boolean pumpOffer(Transfer transfer, long nowNs) {
        if (!claim(Frame.HEADER_BYTES, nowNs)) {
            return false;
        }
        try {
            if (cross.offer()) {
                encode(transfer, Frame.CROSS_OFFER);
                claim.commit();
            } else {
                claim.abort();
            }
        } catch (RuntimeException e) {
            claim.abort();
            throw e;
        }
        return true;
    }

    private boolean pumpCross(Transfer transfer, long nowNs) {
        if (!cross.hasRoom()) {
            refused(nowNs, true);
            return false;
        }
        if (!claim(Frame.HEADER_BYTES + Frame.DESCRIPTOR_BYTES, nowNs)) {
            return false;
        }
        encode(transfer, Frame.CROSS);
        long address = transfer.memory.address() + transfer.offset;
        Frame.describeCross(claim.buffer(), claim.offset(), address, cross.next());
        claim.commit();
        transfer.moved = transfer.length;
        transfer.crosses = true;
        return true;
    }

    private boolean pumpShared(Transfer transfer, int block, long nowNs) {
        int frameBytes = Frame.HEADER_BYTES + Frame.DESCRIPTOR_BYTES;
        if (!claim(frameBytes, nowNs)) {
            return false;
        }
        int piece = (int) Math.min(transfer.length - transfer.moved, SHARED_PIECE_BYTES);
        try {
            encode(transfer, Frame.SHARED);
            long address = transfer.memory.address() + transfer.offset + transfer.moved;
            Frame.describeShared(claim.buffer(), claim.offset(), shared.offsetIn(block, address), piece, block);
            claim.commit();
        } catch (RuntimeException e) {
            claim.abort();
            throw e;
        }
        transfer.moved += piece;
        transfer.lastPiece = ++pieces;
        return true;
    }

    private boolean pumpPlain(Transfer transfer, long nowNs) {
        int payload = (int) Math.min(transfer.length - transfer.moved, maxPayloadBytes);
        if (!claim(Frame.HEADER_BYTES + payload, nowNs)) {
            return false;
        }
        try {
            MutableDirectBuffer buffer = claim.buffer();
            int at = claim.offset();
            encode(transfer, Frame.DATA);
            MemorySegment.copy(
                    transfer.memory,
                    transfer.offset + transfer.moved,
                    RawMemory.ALL,
                    buffer.addressOffset() + at + Frame.HEADER_BYTES,
                    payload);
            FrameChecksum checksum = context.checksum();
            if (checksum != null) {
                Frame.checksum(buffer, at, checksum.of(buffer, at, Frame.HEADER_BYTES + payload, null));
            }
            claim.commit();
        } catch (RuntimeException e) {
            claim.abort();
            throw e;
        }
        transfer.moved += payload;
        return true;
    }

    private boolean pumpSlab(Transfer transfer, Slab through, long nowNs) {
        if (!through.hasRoom() && !through.askForRoom()) {
            refused(nowNs, true);
            return false;
        }
        int frameBytes = Frame.HEADER_BYTES + Frame.DESCRIPTOR_BYTES;
        if (!claim(frameBytes, nowNs)) {
            return false;
        }
        int piece = (int) Math.min(transfer.length - transfer.moved, through.slotBytes());
        try {
            MutableDirectBuffer buffer = claim.buffer();
            int at = claim.offset();
            long slot = through.position();
            encode(transfer, Frame.SLAB);
            Frame.describeSlot(buffer, at, slot, piece);
            through.put(transfer.memory, transfer.offset + transfer.moved, piece);
            FrameChecksum checksum = context.checksum();
            if (checksum != null) {
                Frame.checksum(buffer, at, checksum.of(buffer, at, frameBytes, through.slot(slot, piece)));
            }
            claim.commit();
        } catch (RuntimeException e) {
            claim.abort();
            throw e;
        }
        transfer.moved += piece;
        bells.ring(peer);
        return true;
    }

    private void encode(Transfer transfer, byte type) {
        Frame.encode(
                claim.buffer(),
                claim.offset(),
                type,
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
    }

    /** Made when the first large message comes. Where it cannot be made, all messages go through the log. */
    private @Nullable Slab slab() {
        if (slab == null) {
            try {
                slab = paths.createSlab(stream);
            } catch (IOException e) {
                LOG.warn("rank {}: no slab for large messages to rank {}: {}", context.rank(), peer, e.toString());
                slabFromBytes = Long.MAX_VALUE;
            }
        }
        return slab;
    }

    private boolean claim(int bytes, long nowNs) {
        long position = publication.tryClaim(bytes, claim);
        if (position == Publication.CLOSED || position == Publication.MAX_POSITION_EXCEEDED) {
            throw new TransportException("the stream to rank " + peer + " ended: " + Publication.errorString(position));
        }
        if (position < 0) {
            refused(nowNs, false);
        }
        return position >= 0;
    }

    private void refused(long nowNs, boolean bySlab) {
        blockedBySlab = bySlab;
        if (!blocked) {
            blocked = true;
            blockedSinceNs = nowNs;
        }
    }

    private void unblocked(long nowNs) {
        if (blocked) {
            blocked = false;
            context.counters().add(peer, lane, Counter.BACK_PRESSURE_NS, nowNs - blockedSinceNs);
        }
    }

    /** The run is lost: memory of sends that are not done is given back. */
    void withdraw() {
        cross.withdraw();
    }

    @Override
    public void close() {
        cross.close();
        if (slab != null) {
            slab.close();
        }
    }
}
