package io.penstock.transport;

import io.aeron.Aeron;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.agrona.ErrorHandler;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A rank's end of Aeron streams, over shared memory (IPC) to ranks with the same media driver and over UDP to others. */
public final class AeronEndpoint implements Endpoint {
    /** As patient with the driver as the driver is with its clients. */
    private static final long DRIVER_PATIENCE_MS = TimeUnit.SECONDS.toMillis(120);

    private static final Logger LOG = LoggerFactory.getLogger(AeronEndpoint.class);
    private static final long FAILURE_GRACE_NS = TimeUnit.MILLISECONDS.toNanos(150);
    private static final long LEAVE_MS = 5_000;

    private final AgentContext context;
    private final int worldSize;
    private final TransferDesk desk;
    private final PeerTable peers;
    private final ControlPlane control;
    private final TransportAgent agent;
    private final AeronPaths paths;
    private final SharedMemory shared;
    private final AtomicBoolean closed = new AtomicBoolean();

    /**
     * Connects a rank to the media driver that the membership names for it and starts its transport thread.
     *
     * @throws TransportException if there is no live driver, or a peer has no path
     */
    public static AeronEndpoint open(
            Membership membership, int rank, AeronSettings aeronSettings, EndpointSettings settings) {
        AtomicReference<@Nullable AeronEndpoint> self = new AtomicReference<>();
        Aeron aeron = connect(membership.member(rank), error -> {
            AeronEndpoint endpoint = self.get();
            if (endpoint == null) {
                LOG.error("rank {}: Aeron failed while connecting", rank, error);
            } else {
                endpoint.onAeronError(error);
            }
        });
        try {
            AeronEndpoint endpoint = new AeronEndpoint(membership, rank, aeronSettings, settings, aeron);
            self.set(endpoint);
            endpoint.agent.start();
            return endpoint;
        } catch (RuntimeException e) {
            aeron.close();
            throw e;
        }
    }

    private static Aeron connect(Member self, ErrorHandler onError) {
        Aeron.Context client = new Aeron.Context()
                .aeronDirectoryName(self.driverDirectory())
                .useConductorAgentInvoker(true)
                .driverTimeoutMs(DRIVER_PATIENCE_MS)
                .errorHandler(onError)
                .subscriberErrorHandler(onError);
        try {
            return Aeron.connect(client);
        } catch (RuntimeException e) {
            throw new TransportException(
                    "rank " + self.rank() + " found no live media driver in " + self.driverDirectory() + ": " + e, e);
        }
    }

    private AeronEndpoint(
            Membership membership, int rank, AeronSettings aeronSettings, EndpointSettings settings, Aeron aeron) {
        this.worldSize = membership.worldSize();
        FailureBoard board = new FailureBoard(FAILURE_GRACE_NS);
        this.peers = new PeerTable(worldSize, System.nanoTime());
        this.desk = new TransferDesk(rank, worldSize, settings, board, peers, new MovingWait());
        this.context = new AgentContext(
                rank,
                membership.job(),
                membership.epoch(),
                settings,
                desk.counters(),
                board,
                settings.checksum() ? new FrameChecksum() : null);
        this.paths = new AeronPaths(membership, rank, aeronSettings);
        this.control = new ControlPlane(context, peers, membership, paths, aeron);
        Bells bells = new Bells(context, paths, worldSize);
        this.shared = new SharedMemory(context, paths.sharedFiles(), worldSize, paths.bytesOfAllStreams());
        Mover mover = new Mover(context, paths, aeron, control, bells, shared, worldSize);
        this.agent = new TransportAgent(context, control, mover, bells.own(), paths);
    }

    /** A thread that waits moves the bytes itself. */
    private final class MovingWait implements TransferDesk.Waiting {
        @Override
        public void pass(Transfer transfer, long waitedNs) {
            agent.moveWhileWaiting(transfer, waitedNs);
        }

        @Override
        public void fence() {
            agent.fence();
        }
    }

    private void onAeronError(Throwable error) {
        LOG.error("rank {}: Aeron failed", context.rank(), error);
        control.report(context.rank(), "its transport failed: " + error);
    }

    @Override
    public int rank() {
        return context.rank();
    }

    @Override
    public int worldSize() {
        return worldSize;
    }

    @Override
    public Optional<MemorySegment> allocate(long bytes) {
        for (int peer = 0; peer < worldSize; peer++) {
            if (peer != context.rank() && readsMemoryOf(peer)) {
                return shared.allocate(bytes);
            }
        }
        return Optional.empty();
    }

    SharedMemory shared() {
        return shared;
    }

    /** Whether this rank may read what a peer has allocated; with checksums, nothing is taken unchecked. */
    boolean readsMemoryOf(int peer) {
        return paths.isIpc(peer) && context.checksum() == null;
    }

    @Override
    public Transfer send(int peer, Tag tag, int step, int microBatch, MemorySegment source, long offset, long length) {
        return post(desk.take(true, peer, tag, step, microBatch, source, offset, length));
    }

    @Override
    public Transfer receive(
            int peer, Tag tag, int step, int microBatch, MemorySegment destination, long offset, long length) {
        return post(desk.take(false, peer, tag, step, microBatch, destination, offset, length));
    }

    private Transfer post(Transfer transfer) {
        agent.post(transfer);
        return transfer;
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
        peers.progress(context.rank(), step, microBatch, activity);
    }

    @Override
    public void check() {
        desk.check();
    }

    @Override
    public void announceFailure(String reason) {
        control.report(context.rank(), reason);
        agent.wake();
    }

    @Override
    public void announceDone() {
        control.done();
        agent.wake();
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
        if (!control.isDone() && context.board().known() == null) {
            announceFailure("it closed its endpoint without announcing that it was done");
        }
        desk.close();
        if (!agent.leave(LEAVE_MS)) {
            LOG.warn("rank {}: the transport thread did not end within {} ms", context.rank(), LEAVE_MS);
        }
    }
}
