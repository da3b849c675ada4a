package io.penstock.transport;

import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;

/** A rank's end of an {@link InMemoryFabric}; has no thread of its own. */
final class InMemoryEndpoint implements Endpoint {
    /** A waiter is woken when its transfer ends; so often it looks for failures by itself. */
    private static final long LOOK_NS = TimeUnit.MILLISECONDS.toNanos(10);

    private final InMemoryFabric fabric;
    private final int rank;
    final TransferDesk desk;
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
        post(sent);
        return sent;
    }

    @Override
    public Transfer receive(
            int peer, Tag tag, int step, int microBatch, MemorySegment destination, long offset, long length) {
        Transfer received = desk.take(false, peer, tag, step, microBatch, destination, offset, length);
        post(received);
        return received;
    }

    void post(Transfer transfer) {
        Transfer other = laneOf(transfer).match(transfer);
        if (other != null) {
            try {
                move(transfer, other);
            } catch (RuntimeException e) {
                transfer.moving = false;
                other.moving = false;
                throw e;
            }
        }
    }

    private InMemoryLane laneOf(Transfer posted) {
        Kind kind = posted.tag.kind();
        return posted.outgoing ? fabric.lane(rank, posted.peer, kind) : fabric.lane(posted.peer, rank, kind);
    }

    /** Both ends of a message, by the thread that posted second. */
    private void move(Transfer mine, Transfer theirs) {
        Transfer sent = mine.outgoing ? mine : theirs;
        Transfer received = mine.outgoing ? theirs : mine;
        int sender = mine.outgoing ? rank : mine.peer;
        int receiver = mine.outgoing ? mine.peer : rank;
        boolean agreed = sent.step == received.step
                && sent.microBatch == received.microBatch
                && sent.length == received.length
                && sent.tag.equals(received.tag)
                && (sent.device == null) == (received.device == null);
        if (!agreed) {
            String reason = "rank " + receiver + " expected from rank " + sender + ": " + received.content()
                    + "; found: " + sent.content();
            sent.moving = false;
            received.fail(new ProtocolException(reason));
            fabric.fail(sender, receiver, reason);
            return;
        }
        copy(mine, theirs);
        sent.moved = sent.length;
        received.moved = sent.length;
        fabric.counters(sender).messageDone(sent);
        fabric.counters(receiver).messageDone(received);
        received.complete();
        sent.complete();
    }

    private static void copy(Transfer mine, Transfer theirs) {
        Transfer sent = mine.outgoing ? mine : theirs;
        Transfer received = mine.outgoing ? theirs : mine;
        DeviceLink own = mine.device;
        DeviceLink peer = theirs.device;
        if (own == null || peer == null) {
            MemorySegment.copy(sent.memory, sent.offset, received.memory, received.offset, sent.length);
        } else if (sent.length > 0) {
            long copy = own.startCopy(
                    received.memory.address() + received.offset,
                    sent.memory.address() + sent.offset,
                    sent.length,
                    mine.mark,
                    peer,
                    theirs.mark,
                    mine == received);
            mine.starter = own;
            mine.copy = copy;
            theirs.starter = own;
            theirs.copy = copy;
        }
    }

    @Override
    public Optional<Endpoint> onDevices(DeviceLink device) {
        return Optional.of(new DeviceEndpoint(this, device));
    }

    /** Of a transfer that nobody awaits: it stays unmatched, or the rank that matched it is through with it, which is soon: it starts a copy. */
    void withdraw(Transfer transfer) {
        if (!laneOf(transfer).withdraw(transfer)) {
            while (transfer.moving) {
                Thread.onSpinWait();
            }
        }
    }

    @Override
    public Optional<MemorySegment> allocate(long bytes) {
        return Optional.empty();
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
