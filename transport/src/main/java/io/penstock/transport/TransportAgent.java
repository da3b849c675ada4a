package io.penstock.transport;

import io.aeron.Aeron;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.agrona.concurrent.AgentInvoker;
import org.agrona.concurrent.ManyToOneConcurrentArrayQueue;
import org.jspecify.annotations.Nullable;

/**
 * The transport thread of a rank: owns the Aeron client, opens a stream when the first transfer needs it, and moves bytes while the
 * compute threads compute. When there is nothing to move it parks, briefly if transfers are open and longer if not, so that a rank which
 * waits leaves its core to one that computes; a post wakes it.
 */
final class TransportAgent implements Runnable {
    private static final int YIELDS = 4;
    private static final long MIN_PARK_NS = TimeUnit.MICROSECONDS.toNanos(10);
    private static final long MAX_PARK_BUSY_NS = TimeUnit.MICROSECONDS.toNanos(80);
    private static final long MAX_PARK_IDLE_NS = TimeUnit.MILLISECONDS.toNanos(2);
    private static final long FAREWELL_NS = TimeUnit.SECONDS.toNanos(1);

    private final AgentContext context;
    private final AeronPaths paths;
    private final Aeron aeron;
    private final AgentInvoker client;
    private final ControlPlane control;
    private final ManyToOneConcurrentArrayQueue<Transfer> posted;
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
        this.outbound = new OutboundLane[worldSize * Kind.LANES];
        this.inbound = new InboundLane[worldSize * Kind.LANES];
    }

    /** Called by compute threads. The queue has room for every transfer that exists. */
    void post(Transfer transfer, Thread agentThread) {
        posted.add(transfer);
        wake(agentThread);
    }

    void wake(Thread agentThread) {
        if (parked) {
            LockSupport.unpark(agentThread);
        }
    }

    void leave(Thread agentThread) {
        leaving = true;
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
            aeron.close();
        }
    }

    private void work() {
        long lastNs = System.nanoTime();
        int idleTurns = 0;
        while (!leaving) {
            long nowNs = System.nanoTime();
            long gapNs = nowNs - lastNs;
            if (gapNs > context.settings().probeNs()) {
                control.forgive(gapNs);
            }
            lastNs = nowNs;
            idleTurns = doWork(nowNs) > 0 ? 0 : idleTurns + 1;
            idle(idleTurns);
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
            lane = new OutboundLane(context, peer, aeron.addExclusivePublication(paths.publication(peer), stream));
            outbound[index] = lane;
        }
        return lane;
    }

    private InboundLane inbound(int index) {
        InboundLane lane = inbound[index];
        if (lane == null) {
            int peer = index / Kind.LANES;
            int stream = paths.dataStream(peer, context.rank(), index % Kind.LANES);
            lane = new InboundLane(context, control, peer, aeron.addSubscription(paths.subscription(peer), stream));
            inbound[index] = lane;
        }
        return lane;
    }

    private boolean hasOpenTransfers() {
        for (int i = 0; i < outbound.length; i++) {
            OutboundLane out = outbound[i];
            InboundLane in = inbound[i];
            if ((out != null && !out.isIdle()) || (in != null && !in.isIdle())) {
                return true;
            }
        }
        return false;
    }

    /** Yields a few times, since bytes often come in trains, and then parks. */
    @SuppressWarnings("ThreadPriorityCheck")
    private void idle(int turns) {
        if (turns == 0) {
            return;
        }
        if (turns <= YIELDS) {
            Thread.yield();
            return;
        }
        long longestNs = hasOpenTransfers() ? MAX_PARK_BUSY_NS : MAX_PARK_IDLE_NS;
        long parkNs = Math.min(MIN_PARK_NS << Math.min(turns - YIELDS, 16), longestNs);
        parked = true;
        if (posted.isEmpty() && !leaving) {
            LockSupport.parkNanos(this, parkNs);
        }
        parked = false;
    }

    /** Sends on what is posted and waits until the peers know that, and why, this rank leaves. */
    private void sayFarewell() {
        long startNs = System.nanoTime();
        long nowNs = startNs;
        do {
            if (doWork(nowNs) == 0) {
                LockSupport.parkNanos(this, MAX_PARK_BUSY_NS);
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
