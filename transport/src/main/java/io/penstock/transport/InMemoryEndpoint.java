package io.penstock.transport;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;

/** A rank's end of an {@link InMemoryFabric}; has no thread of its own. */
final class InMemoryEndpoint implements Endpoint {
    /** A waiter is woken when its transfer ends; so often it looks for failures by itself. */
    private static final long LOOK_NS = TimeUnit.MILLISECONDS.toNanos(10);

    private final InMemoryFabric fabric;
    private final int rank;
    private final TransferDesk desk;
    private final AtomicBoolean closed = new AtomicBoolean();

    InMemoryEndpoint(InMemoryFabric fabric, int rank, EndpointSettings settings) {
        this.fabric = fabric;
        this.rank = rank;
        this.desk = new TransferDesk(
                rank,
                fabric.worldSize(),
                settings,
                fabric.board,
                new FabricPeers(fabric),
                (transfer, waitedNs) -> LockSupport.parkNanos(transfer, LOOK_NS));
    }

    @Override
    public int rank() {
        return rank;
    }

    @Override
    public int worldSize() {
        return fabric.worldSize();
    }

    @Override
    public Transfer send(int peer, Tag tag, int step, int microBatch, MemorySegment source, long offset, long length) {
        Transfer sent = desk.take(true, peer, tag, step, microBatch, source, offset, length);
        Transfer received = fabric.lane(rank, peer, tag.kind()).match(sent);
        if (received != null) {
            copy(sent, received, rank, peer);
        }
        return sent;
    }

    @Override
    public Transfer receive(
            int peer, Tag tag, int step, int microBatch, MemorySegment destination, long offset, long length) {
        Transfer received = desk.take(false, peer, tag, step, microBatch, destination, offset, length);
        Transfer sent = fabric.lane(peer, rank, tag.kind()).match(received);
        if (sent != null) {
            copy(sent, received, peer, rank);
        }
        return received;
    }

    private void copy(Transfer sent, Transfer received, int sender, int receiver) {
        boolean agreed = sent.step == received.step
                && sent.microBatch == received.microBatch
                && sent.length == received.length
                && sent.tag.equals(received.tag);
        if (!agreed) {
            String reason = "rank " + receiver + " expected from rank " + sender + ": " + received.content()
                    + "; found: " + sent.content();
            received.fail(new ProtocolException(reason));
            fabric.fail(sender, receiver, reason);
            return;
        }
        MemorySegment.copy(sent.memory, sent.offset, received.memory, received.offset, sent.length);
        sent.moved = sent.length;
        received.moved = sent.length;
        fabric.counters(sender).messageDone(sent);
        fabric.counters(receiver).messageDone(received);
        received.complete();
        sent.complete();
    }

    @Override
    public MemorySegment allocate(long bytes) {
        return Arena.ofAuto().allocate(bytes, 64);
    }

    @Override
    public void await(Transfer transfer) {
        desk.await(transfer);
    }

    @Override
    public boolean isDone(Transfer transfer) {
        return transfer.state == Transfer.State.DONE;
    }

    @Override
    public void progress(int step, int microBatch, int activity) {
        fabric.progress(rank, step, microBatch, activity);
    }

    @Override
    public void check() {
        desk.check();
    }

    @Override
    public void announceFailure(String reason) {
        fabric.fail(rank, rank, reason);
    }

    @Override
    public void announceDone() {
        fabric.done(rank);
    }

    @Override
    public EndpointCounters counters() {
        return desk.counters();
    }

    @Override
    public void close() {
        if (!closed.compareAndSet(false, true)) {
            return;
        }
        if (!fabric.isDone(rank)) {
            fabric.fail(rank, rank, "it closed its endpoint without announcing that it was done");
        }
        desk.close();
    }

    /** A rank that is done posts nothing more, so a transfer that is unmatched then stays so. */
    private record FabricPeers(InMemoryFabric fabric) implements TransferDesk.Peers {
        @Override
        public boolean leftWithoutThis(Transfer transfer, long waitedNs) {
            return fabric.isDone(transfer.peer);
        }

        @Override
        public Progress progressOf(int peer) {
            return fabric.progressOf(peer);
        }
    }
}
