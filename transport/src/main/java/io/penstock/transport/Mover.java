package io.penstock.transport;

import io.aeron.Aeron;
import io.aeron.ExclusivePublication;
import io.aeron.Subscription;
import java.util.concurrent.TimeUnit;
import org.agrona.concurrent.AgentInvoker;
import org.agrona.concurrent.ManyToOneConcurrentArrayQueue;
import org.jspecify.annotations.Nullable;

/**
 * Moves the bytes of a rank: owns the Aeron client and opens a stream when the first transfer needs it. All but {@link #post} is for the
 * thread that has the {@link Turn}.
 */
final class Mover {
    /** The client and the control stream want a look so often, however much there is to move. */
    private static final long HOUSEKEEPING_NS = TimeUnit.MICROSECONDS.toNanos(20);

    private final AgentContext context;
    private final AeronPaths paths;
    private final Aeron aeron;
    private final AgentInvoker client;
    private final ControlPlane control;
    private final ManyToOneConcurrentArrayQueue<Transfer> posted;
    private final LossMonitor losses;
    private final Bells bells;
    private final SharedMemory shared;
    private final @Nullable OutboundLane[] outbound;
    private final @Nullable InboundLane[] inbound;
    private long lastNs = System.nanoTime();
    private long keptHouseNs = lastNs;
    private volatile boolean fenced;
    private long lossesReadNs = lastNs;

    Mover(
            AgentContext context,
            AeronPaths paths,
            Aeron aeron,
            ControlPlane control,
            Bells bells,
            SharedMemory shared,
            int worldSize) {
        this.context = context;
        this.paths = paths;
        this.aeron = aeron;
        this.client = aeron.conductorAgentInvoker();
        this.control = control;
        this.posted = new ManyToOneConcurrentArrayQueue<>(context.settings().transfers());
        this.losses = new LossMonitor(context, paths, aeron.context().aeronDirectoryName(), worldSize);
        this.bells = bells;
        this.shared = shared;
        this.outbound = new OutboundLane[worldSize * Kind.LANES];
        this.inbound = new InboundLane[worldSize * Kind.LANES];
    }

    /** Of any thread. The queue has room for every transfer that exists. */
    void post(Transfer transfer) {
        posted.add(transfer);
    }

    /** Of any thread. */
    boolean hasPosts() {
        return !posted.isEmpty();
    }

    /** Moves what can be moved. Returns work done. */
    int doWork(long nowNs) {
        int work = nowNs - keptHouseNs >= HOUSEKEEPING_NS ? keepHouse(nowNs) : 0;
        if (context.board().settled(nowNs) == null) {
            work += takePosts();
            work += moveBytes(nowNs);
        } else {
            fence();
        }
        return work;
    }

    private int keepHouse(long nowNs) {
        long gapNs = nowNs - lastNs;
        if (gapNs > context.settings().probeNs()) {
            control.forgive(gapNs);
        }
        lastNs = nowNs;
        keptHouseNs = nowNs;
        if (nowNs - lossesReadNs > context.settings().heartbeatNs()) {
            lossesReadNs = nowNs;
            losses.update();
        }
        return client.invoke() + control.doWork(nowNs);
    }

    /** Once nothing is to move any more: when this returns no peer writes to memory of this rank, and none takes what it reads from it. */
    void fence() {
        if (fenced) {
            return;
        }
        for (OutboundLane lane : outbound) {
            if (lane != null) {
                lane.withdraw();
            }
        }
        for (InboundLane lane : inbound) {
            if (lane != null) {
                lane.fence();
            }
        }
        fenced = true;
    }

    /** Of any thread. */
    boolean isFenced() {
        return fenced;
    }

    private int takePosts() {
        int taken = 0;
        Transfer transfer;
        while ((transfer = posted.poll()) != null) {
            if (transfer.outgoing) {
                outbound(lane(transfer)).add(transfer);
            } else {
                inbound(lane(transfer)).add(transfer);
            }
            taken++;
        }
        return taken;
    }

    private static int lane(Transfer transfer) {
        return transfer.peer * Kind.LANES + transfer.tag.kind().lane();
    }

    private int moveBytes(long nowNs) {
        int frames = 0;
        for (OutboundLane lane : outbound) {
            if (lane != null) {
                frames += lane.pump(nowNs);
                frames += lane.help();
            }
        }
        for (InboundLane lane : inbound) {
            if (lane != null) {
                frames += lane.poll(nowNs);
            }
        }
        return frames;
    }

    /** Takes a transfer that was just posted, in its own lane: sends what there is room for, and receives what is here if it is short. */
    void begin(int lane, boolean outgoing, boolean isShort, long nowNs) {
        if (context.board().known() != null) {
            return;
        }
        takePosts();
        if (outgoing) {
            int ignored = outbound(lane).pump(nowNs);
        } else {
            InboundLane in = inbound(lane);
            int ignored = isShort ? in.poll(nowNs) : 0;
        }
    }

    private OutboundLane outbound(int index) {
        OutboundLane lane = outbound[index];
        if (lane == null) {
            int peer = index / Kind.LANES;
            int stream = paths.dataStream(context.rank(), peer, index % Kind.LANES);
            ExclusivePublication publication = aeron.addExclusivePublication(paths.publication(peer), stream);
            lane = new OutboundLane(context, peer, index % Kind.LANES, publication, bells, paths, shared);
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
            lane = new InboundLane(context, control, peer, index % Kind.LANES, subscription, bells, paths, shared);
            inbound[index] = lane;
        }
        return lane;
    }

    /** Whether something may happen that rings no bell: bytes over UDP, and room in a log that was full. */
    boolean mustPoll() {
        for (int i = 0; i < outbound.length; i++) {
            OutboundLane out = outbound[i];
            InboundLane in = inbound[i];
            if ((out != null && out.mustPoll()) || (in != null && !in.isIdle() && !paths.isIpc(i / Kind.LANES))) {
                return true;
            }
        }
        return false;
    }

    boolean hasOpenSends() {
        for (OutboundLane lane : outbound) {
            if (lane != null && !lane.isIdle()) {
                return context.board().known() == null;
            }
        }
        return false;
    }

    /** Nobody may have the turn ever after. */
    void close() {
        fence();
        aeron.close();
        bells.close();
        shared.close();
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
}
