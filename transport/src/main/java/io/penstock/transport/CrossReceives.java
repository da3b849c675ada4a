package io.penstock.transport;

import java.io.IOException;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Receives of one lane whose bytes this side fetches from the sender's memory, piece by piece, while the sender may write others
 * ({@link CrossBoard}). Of the thread that has the turn.
 */
final class CrossReceives implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(CrossReceives.class);
    /** A sender that can run writes a piece in far less. */
    private static final long FENCE_NS = TimeUnit.SECONDS.toNanos(1);

    private static final long FENCE_LOOK_NS = TimeUnit.MICROSECONDS.toNanos(100);
    /** To wake a sender takes as long as to copy this. */
    private static final long WORTH_WAKING_BYTES = 512 << 10;

    /** Whom a lost peer is told. */
    interface Reports {
        void report(int culprit, String reason);
    }

    private final AgentContext context;
    private final Reports reports;
    private final Bells bells;
    private final AeronPaths paths;
    private final StreamFile.Stream stream;
    private final Transfer[] open = new Transfer[CrossBoard.ENTRIES];
    private final long[] sources = new long[CrossBoard.ENTRIES];
    private @Nullable CrossBoard board;
    private @Nullable CrossEnd end;
    private CrossBoard.Reach sender = new CrossBoard.Reach(0, 0, 0);
    private long done;
    /** The message that has pieces to copy, if it is open. */
    private long current;

    private long next;
    private boolean broken;

    CrossReceives(AgentContext context, Reports reports, Bells bells, AeronPaths paths, StreamFile.Stream stream) {
        this.context = context;
        this.reports = reports;
        this.bells = bells;
        this.paths = paths;
        this.stream = stream;
    }

    /**
     * The sender offers its memory.
     *
     * @throws IOException if its page cannot be opened, or was before
     */
    void answer() throws IOException {
        if (board != null) {
            throw new IOException("it was offered before");
        }
        CrossBoard offered = CrossBoard.open(paths.sharedFiles(), stream);
        board = offered;
        CrossEnd self = new CrossEnd();
        end = self;
        sender = offered.sender();
        offered.setAnswer(self.own(), self.reaches(sender) ? CrossBoard.REACHES : CrossBoard.REACHES_NOT);
        bells.ring(stream.source());
    }

    /** Whether a message with this number may come now. */
    boolean expects(long number) {
        return board != null && number == next && next - done < CrossBoard.ENTRIES;
    }

    long next() {
        return next;
    }

    /** A message was announced, and there is a receive for it. */
    void open(Transfer transfer, long source) {
        int index = (int) (next % CrossBoard.ENTRIES);
        open[index] = transfer;
        sources[index] = source;
        board().open(next, transfer.memory.address() + transfer.offset);
        next++;
        Doorbell bell = transfer.length >= WORTH_WAKING_BYTES ? bells.of(stream.source()) : null;
        if (bell != null) {
            bell.ringWaiter();
        }
    }

    /** Whether there is nothing of a message to copy or to wait for. */
    boolean isIdle() {
        return done == next;
    }

    /** Copies a piece, or ends what is whole. Returns work done. */
    int work() {
        if (done == next || broken) {
            return 0;
        }
        boolean copied = false;
        while (!copied && current < next) {
            copied = copyPiece(current);
            if (!copied) {
                current++;
            }
        }
        return endWhole() + (copied ? 1 : 0);
    }

    /** Returns false if all pieces have somebody. */
    private boolean copyPiece(long number) {
        Transfer transfer = transfer(number);
        long piece = board().claimFront(number, CrossBoard.pieces(transfer.length));
        if (piece < 0) {
            return false;
        }
        long pieceBytes = CrossBoard.pieceBytes(transfer.length);
        long at = piece * pieceBytes;
        long bytes = Math.min(pieceBytes, transfer.length - at);
        long error = Objects.requireNonNull(end)
                .memory()
                .read(
                        sender.pid(),
                        sources[(int) (number % CrossBoard.ENTRIES)] + at,
                        transfer.memory.address() + transfer.offset + at,
                        bytes);
        if (error == 0) {
            transfer.moved += bytes;
        } else {
            broken(transfer, error, at, bytes);
        }
        return true;
    }

    private void broken(Transfer transfer, long error, long at, long bytes) {
        broken = true;
        if (error == CrossMemory.NO_PROCESS) {
            reports.report(stream.source(), "its process " + sender.pid() + " is gone");
            return;
        }
        String reason = "rank " + context.rank() + " cannot read " + bytes + " bytes at offset " + at + " of "
                + transfer.content() + " in the memory of rank " + stream.source() + ": error " + -error
                + " of process_vm_readv; was it freed before the send was done?";
        fence(); // before its memory is the caller's again
        transfer.fail(new ProtocolException(reason));
        reports.report(stream.source(), reason);
    }

    private int endWhole() {
        int ended = 0;
        while (done < current && !broken && isWhole(done)) {
            if (board().isWithdrawn()) {
                broken = true;
                reports.report(stream.source(), "it left before what it sent was received");
                break;
            }
            Transfer transfer = transfer(done);
            transfer.moved = transfer.length;
            done++;
            ended++;
            context.counters().messageDone(transfer);
            transfer.complete();
        }
        if (ended > 0) {
            board().setDone(done);
            bells.ring(stream.source());
        }
        return ended;
    }

    /** All pieces before {@link #current} were claimed once; a sender that cannot write gives its own back. */
    private boolean isWhole(long number) {
        if (board().unwritten(number) > 0) {
            return false;
        }
        while (copyPiece(number)) {
            if (broken) {
                return false;
            }
        }
        return board().unwritten(number) == 0;
    }

    private Transfer transfer(long number) {
        return open[(int) (number % CrossBoard.ENTRIES)];
    }

    private CrossBoard board() {
        return Objects.requireNonNull(board);
    }

    /**
     * Returns when the sender can write into no destination any more. One that claimed a piece and stopped before it wrote it could do so
     * whenever it goes on, into memory that is somebody else's by then: it is killed, for nothing else stops it. All ranks have lost the
     * run by now, and it with them.
     */
    void fence() {
        broken = true;
        for (long number = done; number < next; number++) {
            board().close(number);
        }
        for (long number = done; number < next && awaitsSender(number, FENCE_NS); number++) {}
        if (isUnwritten() && sender.pid() != ProcessHandle.current().pid()) {
            endSender();
        }
    }

    /** Returns false if the sender is still not through with a message after so long. */
    private boolean awaitsSender(long number, long limitNs) {
        long startNs = System.nanoTime();
        while (board().unwrittenByReceipt(number) > 0
                && Objects.requireNonNull(end).reaches(sender)) {
            if (System.nanoTime() - startNs > limitNs) {
                return false;
            }
            LockSupport.parkNanos(this, FENCE_LOOK_NS);
        }
        return true;
    }

    private boolean isUnwritten() {
        for (long number = done; number < next; number++) {
            if (!awaitsSender(number, 0)) {
                return true;
            }
        }
        return false;
    }

    private void endSender() {
        LOG.error(
                "rank {} ends process {} of rank {}: it stands still in the middle of a write to this rank",
                context.rank(),
                sender.pid(),
                stream.source());
        ProcessHandle.of(sender.pid()).ifPresent(ProcessHandle::destroyForcibly);
        for (long number = done; number < next && awaitsSender(number, FENCE_NS); number++) {}
    }

    @Override
    public void close() {
        fence();
        // A page that a write may still come to stays.
        if (board != null && !isUnwritten()) {
            board.close();
        }
    }
}
