package io.penstock.transport;

import io.aeron.Subscription;
import io.aeron.logbuffer.ControlledFragmentHandler;
import io.aeron.logbuffer.Header;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.Objects;
import org.agrona.DirectBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Receives of one lane from one peer; of the thread that has the turn. Bytes are copied from the log buffer, the slab, the sender's
 * shared memory or its own ({@link CrossReceives}) to the posted destination; without a posted receive the lane is not read, which holds the sender back.
 */
final class InboundLane implements ControlledFragmentHandler, AutoCloseable {
    private static final int BURST_FRAMES = 32;
    /** After a piece so long, the other lanes and the heartbeats are looked at first. */
    private static final int LONG_PIECE_BYTES = 1 << 20;

    private final AgentContext context;
    private final ControlPlane control;
    private final int peer;
    private final int lane;
    private final Subscription subscription;
    private final Bells bells;
    private final AeronPaths paths;
    private final TransferQueue queue = new TransferQueue();
    private final SharedMemory shared;
    private final CrossReceives cross;
    private final StreamFile.Stream stream;
    private @Nullable Slab slab;
    /** Pieces copied from the sender's shared memory so far. */
    private long pieces;
    /** Where the piece lies that the current frame tells of. */
    private MemorySegment block = MemorySegment.NULL;

    private long sequence;
    private boolean broken;
    /** The Aeron session that the first good frame came in: there is no other sender in this lane. */
    private int session;

    private boolean hasSession;

    InboundLane(
            AgentContext context,
            ControlPlane control,
            int peer,
            int lane,
            Subscription subscription,
            Bells bells,
            AeronPaths paths,
            SharedMemory shared) {
        this.context = context;
        this.control = control;
        this.peer = peer;
        this.lane = lane;
        this.subscription = subscription;
        this.bells = bells;
        this.paths = paths;
        this.shared = shared;
        this.stream = new StreamFile.Stream(context.job(), context.epoch(), peer, context.rank(), lane);
        this.cross = new CrossReceives(context, control::report, bells, paths, stream);
    }

    void add(Transfer transfer) {
        queue.add(transfer);
    }

    boolean isIdle() {
        return (queue.head() == null && cross.isIdle()) || broken;
    }

    /** Returns the number of frames received. */
    int poll(long nowNs) {
        if (isIdle()) {
            return 0;
        }
        int frames = queue.head() == null ? 0 : subscription.controlledPoll(this, BURST_FRAMES);
        if (frames > 0) {
            control.heard(peer, nowNs);
        }
        // After what was announced is open, so that the sender can copy ahead.
        return frames + cross.work();
    }

    @Override
    public Action onFragment(DirectBuffer buffer, int at, int length, Header header) {
        Transfer transfer = queue.head();
        if (transfer == null || broken) {
            return Action.ABORT;
        }
        if (!Frame.belongs(buffer, at, length, context.job(), context.epoch())
                || !isBytes(Frame.type(buffer, at), length)
                || Frame.source(buffer, at) != peer
                || (hasSession && header.sessionId() != session)
                || isReplay(buffer, at, transfer)) {
            context.counters().add(peer, lane, Counter.FRAMES_REFUSED, 1);
            return Action.CONTINUE;
        }
        byte type = Frame.type(buffer, at);
        long payload = payloadBytes(type, buffer, at, length);
        if (!isExpected(buffer, at, payload, transfer)
                || (type == Frame.CROSS && !isNextCrossing(buffer, at, transfer))
                || (type == Frame.SLAB && !isInNextSlot(buffer, at, (int) payload, transfer))
                || (type == Frame.SHARED && !isInBlock(buffer, at, (int) payload, transfer))
                || !isIntact(buffer, at, length, transfer, type == Frame.SLAB)) {
            return Action.BREAK;
        }
        session = header.sessionId();
        hasSession = true;
        switch (type) {
            case Frame.CROSS_OFFER -> answer(transfer);
            case Frame.CROSS -> cross(Frame.crossAddress(buffer, at), transfer);
            default -> take(type, buffer, at, (int) payload, transfer);
        }
        return payload < LONG_PIECE_BYTES || type == Frame.CROSS ? Action.CONTINUE : Action.BREAK;
    }

    private static boolean isBytes(byte type, int length) {
        return switch (type) {
            case Frame.DATA -> true;
            case Frame.SLAB, Frame.SHARED, Frame.CROSS -> length == Frame.HEADER_BYTES + Frame.DESCRIPTOR_BYTES;
            case Frame.CROSS_OFFER -> length == Frame.HEADER_BYTES;
            default -> false;
        };
    }

    private static long payloadBytes(byte type, DirectBuffer buffer, int at, int length) {
        return switch (type) {
            case Frame.SLAB -> Frame.slotBytes(buffer, at);
            case Frame.SHARED -> Frame.sharedBytes(buffer, at);
            case Frame.CROSS -> Frame.length(buffer, at);
            default -> length - Frame.HEADER_BYTES;
        };
    }

    private void take(byte type, DirectBuffer buffer, int at, int payload, Transfer transfer) {
        long to = transfer.offset + transfer.moved;
        switch (type) {
            case Frame.SLAB -> takeFromSlab(transfer.memory, to, payload);
            case Frame.SHARED -> takeFromBlock(Frame.sharedOffset(buffer, at), transfer.memory, to, payload);
            default -> {
                long from = buffer.addressOffset() + at + Frame.HEADER_BYTES;
                MemorySegment.copy(RawMemory.ALL, from, transfer.memory, to, payload);
            }
        }
        transfer.moved += payload;
        if (transfer.moved == transfer.length) {
            next();
            context.counters().messageDone(transfer);
            transfer.complete();
        }
    }

    private void next() {
        queue.remove();
        sequence++;
    }

    private void answer(Transfer transfer) {
        try {
            cross.answer();
        } catch (IOException e) {
            broken(transfer, "rank " + context.rank() + " cannot open the page of rank " + peer + ": " + e);
        }
    }

    /** The lane goes on with the next message while this one is copied. */
    private void cross(long source, Transfer transfer) {
        next();
        cross.open(transfer, source);
    }

    private boolean isNextCrossing(DirectBuffer buffer, int at, Transfer transfer) {
        long number = Frame.crossNumber(buffer, at);
        boolean good = cross.expects(number) && transfer.length > 0;
        if (!good) {
            broken(
                    transfer,
                    "rank " + context.rank() + " expected from rank " + peer + " message " + cross.next()
                            + " of those that both copy; found: " + number + " of " + transfer.length + " bytes");
        }
        return good;
    }

    private void takeFromSlab(MemorySegment destination, long to, int bytes) {
        Slab through = Objects.requireNonNull(slab);
        through.read(destination, to, bytes);
        if (through.release()) {
            bells.ring(peer);
        }
    }

    private void takeFromBlock(long from, MemorySegment destination, long to, int bytes) {
        MemorySegment.copy(block, from, destination, to, bytes);
        Doorbell bell = Objects.requireNonNull(bells.of(peer));
        bell.setTaken(context.rank(), lane, ++pieces);
        bell.ring();
    }

    /** Opens the block at the first descriptor of it. */
    private boolean isInBlock(DirectBuffer buffer, int at, int bytes, Transfer transfer) {
        long from = Frame.sharedOffset(buffer, at);
        try {
            block = shared.ofPeer(peer, Frame.block(buffer, at));
        } catch (IOException e) {
            broken(transfer, "rank " + context.rank() + " cannot open shared memory of rank " + peer + ": " + e);
            return false;
        }
        boolean good = bytes > 0 && from >= 0 && from <= block.byteSize() - bytes && bells.of(peer) != null;
        if (!good) {
            broken(
                    transfer,
                    "rank " + context.rank() + " found from rank " + peer + " " + bytes + " bytes at " + from
                            + " of block " + Frame.block(buffer, at) + " of " + block.byteSize() + " bytes");
        }
        return good;
    }

    /** Opens the slab at the first descriptor. */
    private boolean isInNextSlot(DirectBuffer buffer, int at, int bytes, Transfer transfer) {
        Slab through = slab;
        if (through == null) {
            try {
                through = paths.openSlab(stream);
                slab = through;
            } catch (IOException e) {
                broken(transfer, "rank " + context.rank() + " cannot open the slab of rank " + peer + ": " + e);
                return false;
            }
        }
        boolean good = Frame.slot(buffer, at) == through.position() && bytes > 0 && bytes <= through.slotBytes();
        if (!good) {
            broken(
                    transfer,
                    "rank " + context.rank() + " expected from rank " + peer + " slot " + through.position() + " of "
                            + through.slotBytes() + " bytes at most; found: slot " + Frame.slot(buffer, at) + " of "
                            + bytes + " bytes");
        }
        return good;
    }

    /** A frame that was here before; an Aeron stream never repeats one, so somebody else did. */
    private boolean isReplay(DirectBuffer buffer, int at, Transfer transfer) {
        long found = Frame.sequence(buffer, at);
        return found < sequence || (found == sequence && Frame.offset(buffer, at) < transfer.moved);
    }

    private boolean isExpected(DirectBuffer buffer, int at, long payload, Transfer transfer) {
        boolean expected = Frame.kind(buffer, at) == transfer.tag.kind().wire()
                && Frame.chunk(buffer, at) == transfer.tag.chunk()
                && Frame.step(buffer, at) == transfer.step
                && Frame.microBatch(buffer, at) == transfer.microBatch
                && Frame.length(buffer, at) == transfer.length
                && Frame.sequence(buffer, at) == sequence
                && Frame.offset(buffer, at) == transfer.moved
                && payload >= 0
                && payload <= transfer.length - transfer.moved;
        if (!expected) {
            String found = Transfer.describe(
                    Frame.kind(buffer, at),
                    Frame.chunk(buffer, at),
                    Frame.step(buffer, at),
                    Frame.microBatch(buffer, at),
                    Frame.length(buffer, at));
            broken(
                    transfer,
                    "rank " + context.rank() + " expected from rank " + peer + ": " + transfer.content()
                            + " (message " + sequence + ", offset " + transfer.moved + "); found: " + found
                            + " (message "
                            + Frame.sequence(buffer, at) + ", offset " + Frame.offset(buffer, at) + ")");
        }
        return expected;
    }

    private boolean isIntact(DirectBuffer buffer, int at, int length, Transfer transfer, boolean inSlab) {
        FrameChecksum checksum = context.checksum();
        if (checksum == null || (Frame.flags(buffer, at) & Frame.FLAG_CHECKSUM) == 0) {
            return true;
        }
        ByteBuffer slot =
                inSlab ? Objects.requireNonNull(slab).slot(Frame.slot(buffer, at), Frame.slotBytes(buffer, at)) : null;
        int computed = checksum.of(buffer, at, length, slot);
        int carried = Frame.checksum(buffer, at);
        if (computed != carried) {
            broken(
                    transfer,
                    String.format(
                            "rank %d got a damaged frame from rank %d: %s, offset %d: CRC32C %08x, computed %08x",
                            context.rank(), peer, transfer.content(), transfer.moved, carried, computed));
        }
        return computed == carried;
    }

    private void broken(Transfer transfer, String reason) {
        broken = true;
        transfer.fail(new ProtocolException(reason));
        control.report(peer, reason);
    }

    /** The run is lost: when this returns, the peer writes nothing more here. */
    void fence() {
        cross.fence();
    }

    @Override
    public void close() {
        cross.close();
        if (slab != null) {
            slab.close();
        }
    }
}
