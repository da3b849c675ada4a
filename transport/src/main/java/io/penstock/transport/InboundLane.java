package io.penstock.transport;

import io.aeron.Subscription;
import io.aeron.logbuffer.ControlledFragmentHandler;
import io.aeron.logbuffer.Header;
import java.lang.foreign.MemorySegment;
import org.agrona.DirectBuffer;

/**
 * Receives of one lane from one peer; of the agent thread. Frames are copied from the log buffer to the posted destination; without a
 * posted receive the lane is not read, which holds the sender back.
 */
final class InboundLane implements ControlledFragmentHandler {
    private static final int BURST_FRAMES = 32;

    private final AgentContext context;
    private final ControlPlane control;
    private final int peer;
    private final Subscription subscription;
    private final TransferQueue queue = new TransferQueue();
    private long sequence;
    private boolean broken;

    InboundLane(AgentContext context, ControlPlane control, int peer, Subscription subscription) {
        this.context = context;
        this.control = control;
        this.peer = peer;
        this.subscription = subscription;
    }

    void add(Transfer transfer) {
        queue.add(transfer);
    }

    boolean isIdle() {
        return queue.head() == null || broken;
    }

    /** Returns the number of frames received. */
    int poll(long nowNs) {
        if (isIdle()) {
            return 0;
        }
        int frames = subscription.controlledPoll(this, BURST_FRAMES);
        if (frames > 0) {
            control.heard(peer, nowNs);
        }
        return frames;
    }

    @Override
    public Action onFragment(DirectBuffer buffer, int at, int length, Header header) {
        Transfer transfer = queue.head();
        if (transfer == null || broken) {
            return Action.ABORT;
        }
        if (!Frame.belongs(buffer, at, length, context.job(), context.epoch())
                || Frame.type(buffer, at) != Frame.DATA
                || Frame.source(buffer, at) != peer
                || isReplay(buffer, at, transfer)) {
            context.counters().add(peer, Counter.FRAMES_REFUSED, 1);
            return Action.CONTINUE;
        }
        int payload = length - Frame.HEADER_BYTES;
        if (!isExpected(buffer, at, payload, transfer) || !isIntact(buffer, at, length, transfer)) {
            return Action.BREAK;
        }
        MemorySegment.copy(
                RawMemory.ALL,
                buffer.addressOffset() + at + Frame.HEADER_BYTES,
                transfer.memory,
                transfer.offset + transfer.moved,
                payload);
        transfer.moved += payload;
        if (transfer.moved == transfer.length) {
            queue.remove();
            sequence++;
            context.counters().messageDone(transfer);
            transfer.complete();
        }
        return Action.CONTINUE;
    }

    /** A frame that was here before; an Aeron stream never repeats one, so somebody else did. */
    private boolean isReplay(DirectBuffer buffer, int at, Transfer transfer) {
        long found = Frame.sequence(buffer, at);
        return found < sequence || (found == sequence && Frame.offset(buffer, at) < transfer.moved);
    }

    private boolean isExpected(DirectBuffer buffer, int at, int payload, Transfer transfer) {
        boolean expected = Frame.kind(buffer, at) == transfer.tag.kind().wire()
                && Frame.chunk(buffer, at) == transfer.tag.chunk()
                && Frame.step(buffer, at) == transfer.step
                && Frame.microBatch(buffer, at) == transfer.microBatch
                && Frame.length(buffer, at) == transfer.length
                && Frame.sequence(buffer, at) == sequence
                && Frame.offset(buffer, at) == transfer.moved
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

    private boolean isIntact(DirectBuffer buffer, int at, int length, Transfer transfer) {
        FrameChecksum checksum = context.checksum();
        if (checksum == null || (Frame.flags(buffer, at) & Frame.FLAG_CHECKSUM) == 0) {
            return true;
        }
        int computed = checksum.of(buffer, at, length);
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
}
