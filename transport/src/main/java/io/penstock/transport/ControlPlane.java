package io.penstock.transport;

import io.aeron.Aeron;
import io.aeron.ExclusivePublication;
import io.aeron.Subscription;
import io.aeron.logbuffer.BufferClaim;
import io.aeron.logbuffer.FragmentHandler;
import io.aeron.logbuffer.Header;
import org.agrona.DirectBuffer;
import org.agrona.MutableDirectBuffer;
import org.agrona.concurrent.UnsafeBuffer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Heartbeats to and from every peer, and the spreading of the first failure; of the thread that has the {@link Turn}. Every rank passes on what it learns of
 * a failure, so that all know it even if the one who noticed reaches only some.
 */
final class ControlPlane implements FragmentHandler {
    private static final Logger LOG = LoggerFactory.getLogger(ControlPlane.class);
    private static final int BURST_FRAMES = 16;

    private final AgentContext context;
    private final PeerTable peers;
    private final Membership membership;
    private final ExclusivePublication[] publications;
    private final Subscription[] subscriptions;
    private final @Nullable Failure[] passedOn;
    /** Peers that a heartbeat found listening at some time: if they do not listen now, they are gone. */
    private final boolean[] reached;

    private final BufferClaim claim = new BufferClaim();
    private final UnsafeBuffer abort = new UnsafeBuffer(new byte[Frame.HEADER_BYTES + AbortCodec.MAX_BYTES]);
    private long lastBeatNs;
    private long toldProgress;
    private long nowNs;
    private volatile boolean done;
    private boolean doneTold;

    ControlPlane(AgentContext context, PeerTable peers, Membership membership, AeronPaths paths, Aeron aeron) {
        this.context = context;
        this.peers = peers;
        this.membership = membership;
        this.publications = new ExclusivePublication[membership.worldSize()];
        this.subscriptions = new Subscription[membership.worldSize()];
        this.passedOn = new Failure[membership.worldSize()];
        this.reached = new boolean[membership.worldSize()];
        for (int peer = 0; peer < membership.worldSize(); peer++) {
            if (peer != context.rank()) {
                subscriptions[peer] =
                        aeron.addSubscription(paths.subscription(peer), paths.controlStream(peer, context.rank()));
                publications[peer] = aeron.addExclusivePublication(
                        paths.controlPublication(peer), paths.controlStream(context.rank(), peer));
            }
        }
        nowNs = System.nanoTime();
        lastBeatNs = nowNs - context.settings().heartbeatNs();
    }

    void done() {
        done = true;
    }

    boolean isDone() {
        return done;
    }

    /** Reads what came, beats when it is time, and judges silence. Returns work done. */
    int doWork(long now) {
        nowNs = now;
        int work = 0;
        for (Subscription subscription : subscriptions) {
            if (subscription != null) {
                work += subscription.poll(this, BURST_FRAMES);
            }
        }
        work += spreadFailure();
        if (isTimeToBeat()) {
            lastBeatNs = nowNs;
            doneTold = done;
            toldProgress = peers.whereOf(context.rank());
            beat();
            if (!done) {
                judgeSilence();
            }
        }
        return work;
    }

    /** News of this rank's progress go out sooner, so that a loss is described by where it happened. */
    private boolean isTimeToBeat() {
        long beatNs = context.settings().heartbeatNs();
        boolean news = toldProgress != peers.whereOf(context.rank());
        return nowNs - lastBeatNs >= (news ? beatNs / 4 : beatNs) || (done && !doneTold);
    }

    /** Gives every peer the time that this rank itself stood still. */
    void forgive(long gapNs) {
        peers.forgive(gapNs);
    }

    void heard(int peer, long now) {
        peers.heard(peer, now);
    }

    void report(int culprit, String reason) {
        Failure failure =
                new Failure(culprit, context.rank(), System.currentTimeMillis(), peers.progressOf(culprit), reason);
        if (context.board().report(failure, System.nanoTime())) {
            LOG.error(
                    "rank {}: {}",
                    context.rank(),
                    failure.describe(context.settings().activityNames()));
        }
    }

    /** Whether everybody who might care knows that this rank leaves, and why; peers that are gone do not care. */
    boolean isFarewellSaid() {
        Failure failure = context.board().known();
        for (int peer = 0; peer < publications.length; peer++) {
            if (publications[peer] == null || (reached[peer] && !publications[peer].isConnected())) {
                continue;
            }
            boolean said = failure == null
                    ? peers.sawMyDone(peer) || peers.isDone(peer)
                    : failure.equals(passedOn[peer]) || failure.rank() == peer;
            if (!said) {
                return false;
            }
        }
        return true;
    }

    private void beat() {
        for (int peer = 0; peer < publications.length; peer++) {
            if (publications[peer] != null) {
                beat(peer);
            }
        }
    }

    /** A heartbeat that finds no room is dropped: the next one says the same and more. */
    private void beat(int peer) {
        if (publications[peer].tryClaim(Frame.HEADER_BYTES, claim) < 0) {
            return;
        }
        reached[peer] = true;
        byte flags = (byte) ((done ? Frame.FLAG_DONE : 0) | (peers.isDone(peer) ? Frame.FLAG_DONE_SEEN : 0));
        int self = context.rank();
        encode(
                claim.buffer(),
                claim.offset(),
                Frame.HEARTBEAT,
                flags,
                peers.stepOf(self),
                peers.microBatchOf(self),
                peers.activityOf(self),
                0);
        claim.commit();
    }

    private void encode(
            MutableDirectBuffer to, int at, byte type, byte flags, int step, int microBatch, int activity, int length) {
        Frame.encode(
                to,
                at,
                type,
                Kind.CONTROL.wire(),
                flags,
                context.job(),
                context.epoch(),
                context.rank(),
                step,
                microBatch,
                activity,
                0,
                length,
                0);
    }

    private int spreadFailure() {
        Failure failure = context.board().known();
        if (failure == null) {
            return 0;
        }
        int told = 0;
        for (int peer = 0; peer < publications.length; peer++) {
            if (publications[peer] != null && !failure.equals(passedOn[peer])) {
                int reason = AbortCodec.encode(failure, abort, Frame.HEADER_BYTES);
                encode(abort, 0, Frame.ABORT, (byte) 0, -1, -1, 0, reason);
                if (publications[peer].offer(abort, 0, Frame.HEADER_BYTES + reason) >= 0) {
                    passedOn[peer] = failure;
                    told++;
                }
            }
        }
        return told;
    }

    private void judgeSilence() {
        EndpointSettings limits = context.settings();
        for (int peer = 0; peer < publications.length; peer++) {
            if (publications[peer] == null || peers.isDone(peer)) {
                continue;
            }
            long silentNs = peers.silentNs(peer, nowNs);
            if (silentNs > limits.probeNs() && isProcessGone(peer)) {
                report(
                        peer,
                        "its process " + membership.member(peer).pid() + " is gone, silent for "
                                + TransferDesk.seconds(silentNs));
            } else if (silentNs > (peers.wasHeard(peer) ? limits.silenceNs() : limits.firstContactNs())) {
                report(peer, "no sign of life for " + TransferDesk.seconds(silentNs));
            }
        }
    }

    private boolean isProcessGone(int peer) {
        Member self = membership.member(context.rank());
        Member other = membership.member(peer);
        return other.machine().equals(self.machine()) && Machine.isDead(other.pid());
    }

    @Override
    public void onFragment(DirectBuffer buffer, int at, int length, Header header) {
        int source = length >= Frame.HEADER_BYTES ? Frame.source(buffer, at) : -1;
        boolean known = source >= 0 && source < publications.length && publications[source] != null;
        if (!known || !Frame.belongs(buffer, at, length, context.job(), context.epoch())) {
            context.counters().add(known ? source : context.rank(), Kind.CONTROL.lane(), Counter.FRAMES_REFUSED, 1);
            return;
        }
        peers.heard(source, nowNs);
        switch (Frame.type(buffer, at)) {
            case Frame.HEARTBEAT -> onHeartbeat(source, buffer, at);
            case Frame.ABORT ->
                onAbort(source, AbortCodec.decode(buffer, at + Frame.HEADER_BYTES, length - Frame.HEADER_BYTES));
            default -> context.counters().add(source, Kind.CONTROL.lane(), Counter.FRAMES_REFUSED, 1);
        }
    }

    private void onHeartbeat(int source, DirectBuffer buffer, int at) {
        peers.progress(source, Frame.step(buffer, at), Frame.microBatch(buffer, at), Frame.chunk(buffer, at));
        byte flags = Frame.flags(buffer, at);
        if ((flags & Frame.FLAG_DONE_SEEN) != 0) {
            peers.setSawMyDone(source);
        }
        if ((flags & Frame.FLAG_DONE) != 0 && peers.done(source, nowNs)) {
            beat(source);
        }
    }

    private void onAbort(int source, Failure failure) {
        if (context.board().report(failure, System.nanoTime())) {
            LOG.error(
                    "rank {} hears from rank {}: {}",
                    context.rank(),
                    source,
                    failure.describe(context.settings().activityNames()));
        }
    }
}
