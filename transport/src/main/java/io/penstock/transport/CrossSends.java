package io.penstock.transport;

import java.io.IOException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends of one lane whose bytes the receiver fetches from where they lie, and which this side helps to copy while a thread of it waits
 * ({@link CrossBoard}). Offered to the peer before the first; where either cannot reach the other's memory, messages go another way. Of the
 * thread that has the turn.
 */
final class CrossSends implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(CrossSends.class);

    enum State {
        NEW,
        OFFERED,
        OPEN,
        REFUSED
    }

    private final AgentContext context;
    private final AeronPaths paths;
    private final StreamFile.Stream stream;
    private final TransferQueue queue = new TransferQueue();
    /** Those in the queue, by number. */
    private final Transfer[] announced = new Transfer[CrossBoard.ENTRIES];

    private State state;
    private @Nullable CrossBoard board;
    private @Nullable CrossEnd end;
    private long receiverPid;
    /** Whether this side can write to the peer. */
    private boolean helps;

    private long next;
    /** The message that may have pieces to help with. */
    private long helped;

    private long done;

    CrossSends(AgentContext context, AeronPaths paths, StreamFile.Stream stream) {
        this.context = context;
        this.paths = paths;
        this.stream = stream;
        this.state = CrossMemory.isAvailable() ? State.NEW : State.REFUSED;
    }

    /** What became of the offer. */
    State state() {
        if (state == State.OFFERED) {
            state = answered(board());
        }
        return state;
    }

    private State answered(CrossBoard asked) {
        long answer = asked.answer();
        if (answer == 0) {
            return State.OFFERED;
        }
        if (answer != CrossBoard.REACHES) {
            LOG.info(
                    "rank {}: rank {} may not read the memory of this process (process_vm_readv): large messages are copied twice",
                    context.rank(),
                    stream.destination());
            close();
            return State.REFUSED;
        }
        CrossBoard.Reach receiver = asked.receiver();
        receiverPid = receiver.pid();
        helps = end().reaches(receiver);
        return State.OPEN;
    }

    /** Makes what a frame then tells the peer of. Returns false if it could not. */
    boolean offer() {
        end = new CrossEnd();
        try {
            board = CrossBoard.create(paths.sharedFiles(), stream, end.own());
            state = State.OFFERED;
            return true;
        } catch (IOException e) {
            LOG.warn("rank {}: no page for large messages to rank {}: {}", context.rank(), stream.destination(), e);
            state = State.REFUSED;
            return false;
        }
    }

    /** Whether the peer can fetch the bytes of a message. */
    boolean isReachable(Transfer transfer) {
        return end().isReachable(transfer.memory.address() + transfer.offset, transfer.length);
    }

    boolean hasRoom() {
        if (next - done == CrossBoard.ENTRIES) {
            int ignored = endDone();
        }
        return next - done < CrossBoard.ENTRIES;
    }

    /** The number of the message that is announced next. */
    long next() {
        return next;
    }

    /** A message that was announced. */
    void add(Transfer transfer) {
        queue.add(transfer);
        announced[(int) (next % CrossBoard.ENTRIES)] = transfer;
        next++;
    }

    boolean isIdle() {
        return queue.head() == null;
    }

    /** Ends what the peer has. Returns the number of transfers that ended. */
    int endDone() {
        if (queue.head() == null) {
            return 0;
        }
        long whole = board().done();
        int ended = 0;
        for (; done < whole; done++, ended++) {
            Transfer transfer = Objects.requireNonNull(queue.head());
            queue.remove();
            context.counters().messageDone(transfer);
            transfer.complete();
        }
        return ended;
    }

    /** Copies one piece of what the peer has opened. Returns whether there was one. */
    boolean help(Bells bells) {
        if (queue.head() == null || !helps) {
            return false;
        }
        CrossBoard with = board();
        for (helped = Math.max(helped, done); helped < next && with.isOpen(helped); helped++) {
            Transfer transfer = announced[(int) (helped % CrossBoard.ENTRIES)];
            long pieces = CrossBoard.pieces(transfer.length);
            long piece = with.claimBack(helped, pieces);
            if (piece >= 0) {
                write(with, transfer, piece, pieces, bells);
                if (with.isClaimed(helped, pieces)) {
                    bells.ring(stream.destination());
                }
                return true;
            }
        }
        return false;
    }

    private void write(CrossBoard with, Transfer transfer, long piece, long pieces, Bells bells) {
        long pieceBytes = CrossBoard.pieceBytes(transfer.length);
        long at = piece * pieceBytes;
        long bytes = Math.min(pieceBytes, transfer.length - at);
        long from = transfer.memory.address() + transfer.offset + at;
        long written = pieces - piece;
        long error = end().memory()
                .write(
                        receiverPid,
                        from,
                        with.destination(helped) + at,
                        bytes,
                        end().word(written),
                        with.receiptAddress(helped));
        if (error == 0) {
            with.setWritten(helped, written);
        } else {
            // The peer is gone, which others find out; or its memory takes no writes from outside, and it reads by
            // itself.
            helps = false;
            with.giveBack(helped);
            bells.ring(stream.destination());
        }
    }

    private CrossBoard board() {
        return Objects.requireNonNull(board);
    }

    private CrossEnd end() {
        return Objects.requireNonNull(end);
    }

    /** The memory of what is not done may be given back when this returns. */
    void withdraw() {
        if (queue.head() != null) {
            board().withdraw();
        }
    }

    @Override
    public void close() {
        withdraw();
        if (board != null) {
            board.close();
        }
    }
}
