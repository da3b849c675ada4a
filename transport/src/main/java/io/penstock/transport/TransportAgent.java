package io.penstock.transport;

import io.aeron.Aeron;
import io.aeron.ExclusivePublication;
import io.aeron.Subscription;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.agrona.concurrent.AgentInvoker;
import org.agrona.concurrent.ManyToOneConcurrentArrayQueue;
import org.jspecify.annotations.Nullable;

/**
 * The transport thread of a rank: owns the Aeron client, opens a stream when the first transfer needs it, and moves bytes while the
 * compute threads compute. When there is nothing to move it sleeps, so that a rank which waits leaves its core to one that computes; a
 * post wakes it, and so does a peer of the same machine that sent something (see {@link Doorbell}). What no bell announces is polled for.
 */
final class TransportAgent implements Runnable {
    /** So often the client and the heartbeats want a look, whatever the bell says. */
    private static final long LOOK_NS = TimeUnit.MILLISECONDS.toNanos(4);

    private static final long FAREWELL_PARK_NS = TimeUnit.MICROSECONDS.toNanos(80);
    private static final long FAREWELL_NS = TimeUnit.SECONDS.toNanos(1);

    private final AgentContext context;
    private final AeronPaths paths;
    private final Aeron aeron;
    private final AgentInvoker client;
    private final ControlPlane control;
    private final ManyToOneConcurrentArrayQueue<Transfer> posted;
    private final LossMonitor losses;
    private final Bells bells;
    private final @Nullable Doorbell bell;
    private final @Nullable OutboundLane[] outbound;
    private final @Nullable InboundLane[] inbound;
    private volatile boolean parked;
    private volatile boolean leaving;

    TransportAgent(AgentContext context, AeronPaths paths, Aeron aeron, ControlPlane control, int worldSize) {
        this.context = context;
        this.paths = paths;
        this.aeron = aeron;
        this.client = aeron.conductorAgentInvoker();
        this.control = control;
        this.posted = new ManyToOneConcurrentArrayQueue<>(context.settings().transfers());
        this.losses = new LossMonitor(context, paths, aeron.context().aeronDirectoryName(), worldSize);
        this.bells = new Bells(context, paths, worldSize);
        this.bell = bells.own();
        this.outbound = new OutboundLane[worldSize * Kind.LANES];
        this.inbound = new InboundLane[worldSize * Kind.LANES];
    }

    /** Called by compute threads. The queue has room for every transfer that exists. */
    void post(Transfer transfer, Thread agentThread) {
        posted.add(transfer);
        wake(agentThread);
    }

    void wake(Thread agentThread) {
        if (bell != null) {
            bell.ring();
        } else if (parked) {
            LockSupport.unpark(agentThread);
        }
    }

    void leave(Thread agentThread) {
        leaving = true;
        if (bell != null) {
            bell.ring();
        }
        LockSupport.unpark(agentThread);
    }

    @Override
    public void run() {
        try {
            work();
            sayFarewell();
        } catch (RuntimeException | Error e) {
            control.report(context.rank(), "its transport thread failed: " + e);
            throw e;
        } finally {
            closeAll();
        }
    }

    private void closeAll() {
        aeron.close();
        bells.close();
        losses.close();
        for (int i = 0; i < outbound.length; i++) {
            OutboundLane out = outbound[i];
            InboundLane in = inbound[i];
            if (out != null) {
                out.close();
            }
            if (in != null) {
                in.close();
            }
        }
    }

    private void work() {
        long lastNs = System.nanoTime();
        long idleSinceNs = lastNs;
        long lossesReadNs = lastNs;
        while (!leaving) {
            int rings = bell == null ? 0 : bell.rings();
            long nowNs = System.nanoTime();
            long gapNs = nowNs - lastNs;
            if (gapNs > context.settings().probeNs()) {
                control.forgive(gapNs);
            }
            lastNs = nowNs;
            if (nowNs - lossesReadNs > context.settings().heartbeatNs()) {
                lossesReadNs = nowNs;
                losses.update();
            }
            if (doWork(nowNs) > 0) {
                idleSinceNs = nowNs;
            } else {
                idle(nowNs - idleSinceNs, rings);
            }
        }
    }

    private int doWork(long nowNs) {
        int work = client.invoke();
        work += control.doWork(nowNs);
        if (context.board().settled(nowNs) == null) {
            work += takePosts();
            work += moveBytes(nowNs);
        }
        return work;
    }

    private int takePosts() {
        int taken = 0;
        Transfer transfer;
        while ((transfer = posted.poll()) != null) {
            int index = transfer.peer * Kind.LANES + transfer.tag.kind().lane();
            if (transfer.outgoing) {
                outbound(index).add(transfer);
            } else {
                inbound(index).add(transfer);
            }
            taken++;
        }
        return taken;
    }

    private int moveBytes(long nowNs) {
        int frames = 0;
        for (OutboundLane lane : outbound) {
            if (lane != null) {
                frames += lane.pump(nowNs);
            }
        }
        for (InboundLane lane : inbound) {
            if (lane != null) {
                frames += lane.poll(nowNs);
            }
        }
        return frames;
    }

    private OutboundLane outbound(int index) {
        OutboundLane lane = outbound[index];
        if (lane == null) {
            int peer = index / Kind.LANES;
            int stream = paths.dataStream(context.rank(), peer, index % Kind.LANES);
            ExclusivePublication publication = aeron.addExclusivePublication(paths.publication(peer), stream);
            lane = new OutboundLane(context, peer, index % Kind.LANES, publication, bells, paths);
            outbound[index] = lane;
        }
        return lane;
    }

    private InboundLane inbound(int index) {
        InboundLane lane = inbound[index];
        if (lane == null) {
            int peer = index / Kind.LANES;
            int stream = paths.dataStream(peer, context.rank(), index % Kind.LANES);
            Subscription subscription = aeron.addSubscription(paths.subscription(peer), stream);
            lane = new InboundLane(context, control, peer, index % Kind.LANES, subscription, bells, paths);
            inbound[index] = lane;
        }
        return lane;
    }

    /** Whether something may happen that rings no bell: bytes over UDP, and room in a log that was full. */
    private boolean mustPoll() {
        for (int i = 0; i < outbound.length; i++) {
            OutboundLane out = outbound[i];
            InboundLane in = inbound[i];
            if ((out != null && out.mustPoll()) || (in != null && !in.isIdle() && !paths.isIpc(i / Kind.LANES))) {
                return true;
            }
        }
        return false;
    }

    /** Yields for a moment, since bytes come in trains, and then sleeps. */
    @SuppressWarnings("ThreadPriorityCheck")
    private void idle(long idleNs, int rings) {
        if (Patience.isFresh(idleNs)) {
            Thread.yield();
        } else if (bell != null) {
            bell.sleep(rings, mustPoll() ? Patience.parkNs(idleNs) : LOOK_NS);
        } else {
            parked = true;
            if (posted.isEmpty() && !leaving) {
                LockSupport.parkNanos(this, Patience.parkNs(idleNs));
            }
            parked = false;
        }
    }

    /** Sends on what is posted and waits until the peers know that, and why, this rank leaves. */
    private void sayFarewell() {
        long startNs = System.nanoTime();
        long nowNs = startNs;
        do {
            if (doWork(nowNs) == 0) {
                LockSupport.parkNanos(this, FAREWELL_PARK_NS);
            }
            nowNs = System.nanoTime();
        } while (!(control.isFarewellSaid() && !hasOpenSends()) && nowNs - startNs < FAREWELL_NS);
    }

    private boolean hasOpenSends() {
        for (OutboundLane lane : outbound) {
            if (lane != null && !lane.isIdle()) {
                return context.board().known() == null;
            }
        }
        return false;
    }
}
