package io.penstock.transport;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * The transport thread of a rank: moves bytes while the compute threads compute, and keeps heartbeats going. A compute thread that waits
 * moves them itself (see {@link #moveWhileWaiting}), which saves two changes of threads a message; this one sleeps on then. When there is
 * nothing to move, whoever has the turn sleeps, so that a rank which waits leaves its core to one that computes; a peer of the same
 * machine that sent something rings (see {@link Doorbell}). What no bell announces is polled for.
 */
final class TransportAgent implements Runnable {
    /** So often the client and the heartbeats want a look, whatever the bell says. */
    private static final long LOOK_NS = TimeUnit.MILLISECONDS.toNanos(4);
    /** The same with peers that cannot ring. */
    private static final long SHORT_LOOK_NS = TimeUnit.MILLISECONDS.toNanos(1);
    /** After so long a waiting thread looks for failures. */
    private static final long SPELL_NS = TimeUnit.MILLISECONDS.toNanos(10);

    /** A yield is a call of the kernel, which takes longer than most answers. */
    private static final long SPIN_NS = 2_000;

    private static final long FAREWELL_PARK_NS = TimeUnit.MICROSECONDS.toNanos(80);
    /** Longer than a fence takes. */
    private static final long FENCE_LIMIT_NS = TimeUnit.SECONDS.toNanos(10);

    private static final long FAREWELL_NS = TimeUnit.SECONDS.toNanos(1);

    /** What the transport thread found. */
    private enum Look {
        OTHERS_TURN,
        WORKED,
        MUST_POLL,
        NOTHING
    }

    private final AgentContext context;
    private final ControlPlane control;
    private final Mover mover;
    private final Turn turn = new Turn();
    private final @Nullable Doorbell bell;
    /** Receives so long or shorter are looked for when they are posted, by the thread that posts. */
    private final long shortBytes;

    private final long lookNs;
    private final Thread thread;
    private volatile boolean parked;
    private volatile boolean leaving;
    private boolean hasTurnForEver;

    TransportAgent(AgentContext context, ControlPlane control, Mover mover, @Nullable Doorbell bell, AeronPaths paths) {
        this.context = context;
        this.control = control;
        this.mover = mover;
        this.bell = bell;
        this.shortBytes = paths.shortBytes();
        this.lookNs = paths.isIpcToAll() ? LOOK_NS : SHORT_LOOK_NS;
        this.thread = Thread.ofPlatform()
                .name("penstock-transport-rank-" + context.rank())
                .daemon()
                .unstarted(this);
    }

    void start() {
        thread.start();
    }

    /**
     * Called by compute threads: begins the transfer at once if nobody else has the turn, else leaves it to who has. What cannot be done at
     * once is done when this thread waits, or a bell rings, or when the transport thread looks by itself: to wake it would cost more than
     * most messages.
     */
    void post(Transfer transfer) {
        int lane = transfer.peer * Kind.LANES + transfer.tag.kind().lane();
        boolean outgoing = transfer.outgoing;
        boolean isShort = transfer.length <= shortBytes;
        mover.post(transfer);
        if (!turn.tryTake()) {
            wake();
            return;
        }
        try {
            mover.begin(lane, outgoing, isShort, System.nanoTime());
        } catch (RuntimeException | Error e) {
            control.report(context.rank(), "its transport failed: " + e);
            throw e;
        } finally {
            giveBack();
        }
    }

    private void giveBack() {
        turn.giveBack();
        if (mover.hasPosts()) {
            wakeAgent();
        }
    }

    /** Called by a compute thread that waits: moves bytes until the transfer ends, or some milliseconds, or parks if another has the turn. */
    void moveWhileWaiting(Transfer transfer, long waitedNs) {
        if (leaving || !turn.tryTake()) {
            turn.want();
            try {
                pause(waitedNs);
            } finally {
                turn.unwant();
            }
            return;
        }
        try {
            move(transfer);
        } catch (RuntimeException | Error e) {
            control.report(context.rank(), "its transport failed: " + e);
            throw e;
        } finally {
            giveBack();
        }
    }

    /** Called by compute threads once the run is lost: when this returns, no peer touches memory of this rank any more. */
    void fence() {
        long startNs = System.nanoTime();
        while (!mover.isFenced() && System.nanoTime() - startNs < FENCE_LIMIT_NS) {
            if (turn.tryTake()) {
                try {
                    mover.fence();
                } finally {
                    giveBack();
                }
            } else {
                LockSupport.parkNanos(this, FAREWELL_PARK_NS);
            }
        }
    }

    private void move(Transfer transfer) {
        putInCharge(true);
        long startNs = System.nanoTime();
        long idleSinceNs = startNs;
        while (transfer.state == Transfer.State.POSTED) {
            long nowNs = System.nanoTime();
            if (nowNs - startNs > SPELL_NS || leaving) {
                return;
            }
            if (mover.doWork(nowNs) > 0) {
                idleSinceNs = nowNs;
            } else if (isFresh(nowNs - idleSinceNs) || bell == null) {
                pause(nowNs - idleSinceNs);
            } else {
                sleepAsWaiter(bell, transfer, nowNs - idleSinceNs);
            }
        }
    }

    private void sleepAsWaiter(Doorbell own, Transfer transfer, long idleNs) {
        int rings = own.lieDownAsWaiter();
        if (leaving || mover.doWork(System.nanoTime()) > 0 || transfer.state != Transfer.State.POSTED) {
            own.stayAwakeAsWaiter();
        } else {
            own.sleepAsWaiter(rings, mover.mustPoll() ? Patience.parkNs(idleNs) : lookNs);
        }
    }

    /** Whether it is too early to sleep. */
    private boolean isFresh(long idleNs) {
        return idleNs < context.settings().yieldNs();
    }

    /** Yields for a moment, since bytes come in trains, and then parks. */
    @SuppressWarnings("ThreadPriorityCheck")
    private void pause(long idleNs) {
        if (idleNs < SPIN_NS && isFresh(idleNs)) {
            Thread.onSpinWait();
        } else if (isFresh(idleNs)) {
            Thread.yield();
        } else {
            LockSupport.parkNanos(this, Patience.parkNs(idleNs));
        }
    }

    private void putInCharge(boolean isWaiter) {
        if (bell != null) {
            bell.putInCharge(isWaiter);
        }
    }

    /** Whoever moves bytes has something new to look at. */
    void wake() {
        if (bell != null) {
            bell.ringHere();
        } else if (parked) {
            LockSupport.unpark(thread);
        }
    }

    private void wakeAgent() {
        if (bell != null) {
            bell.ringAgent();
        } else if (parked) {
            LockSupport.unpark(thread);
        }
    }

    /** Ends the transport thread, and waits for that. */
    boolean leave(long limitMillis) {
        leaving = true;
        if (bell != null) {
            bell.ringAgent();
        }
        LockSupport.unpark(thread);
        try {
            thread.join(limitMillis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return !thread.isAlive();
    }

    @Override
    public void run() {
        try {
            work();
            takeTurnForEver();
            sayFarewell();
        } catch (RuntimeException | Error e) {
            control.report(context.rank(), "its transport thread failed: " + e);
            takeTurnForEver();
            throw e;
        } finally {
            mover.close();
        }
    }

    private void work() {
        long idleSinceNs = System.nanoTime();
        while (!leaving) {
            long nowNs = System.nanoTime();
            Look look = look(nowNs);
            if (look == Look.WORKED) {
                idleSinceNs = nowNs;
            } else {
                idle(nowNs - idleSinceNs, look);
            }
        }
    }

    private Look look(long nowNs) {
        if (turn.isWanted() || !turn.tryTake()) {
            return Look.OTHERS_TURN;
        }
        try {
            putInCharge(false);
            if (mover.doWork(nowNs) > 0) {
                return Look.WORKED;
            }
            return mover.mustPoll() ? Look.MUST_POLL : Look.NOTHING;
        } finally {
            turn.giveBack();
        }
    }

    private void idle(long idleNs, Look look) {
        boolean isMine = look != Look.OTHERS_TURN;
        if (isMine && isFresh(idleNs)) {
            pause(idleNs);
        } else if (bell != null) {
            sleep(bell, idleNs);
        } else {
            parked = true;
            if (!mover.hasPosts() && !leaving) {
                LockSupport.parkNanos(this, isMine ? Patience.parkNs(idleNs) : SHORT_LOOK_NS);
            }
            parked = false;
        }
    }

    private void sleep(Doorbell own, long idleNs) {
        int rings = own.lieDown();
        Look again = leaving ? Look.WORKED : look(System.nanoTime());
        if (again == Look.WORKED) {
            own.stayAwake();
        } else {
            own.sleep(rings, again == Look.MUST_POLL ? Patience.parkNs(idleNs) : lookNs);
        }
    }

    /** Once Aeron's buffers are unmapped, nobody may touch them. */
    private void takeTurnForEver() {
        leaving = true;
        while (!hasTurnForEver) {
            hasTurnForEver = turn.tryTake();
            LockSupport.parkNanos(this, hasTurnForEver ? 0 : FAREWELL_PARK_NS);
        }
    }

    /** Sends on what is posted and waits until the peers know that, and why, this rank leaves. */
    private void sayFarewell() {
        long startNs = System.nanoTime();
        long nowNs = startNs;
        do {
            if (mover.doWork(nowNs) == 0) {
                LockSupport.parkNanos(this, FAREWELL_PARK_NS);
            }
            nowNs = System.nanoTime();
        } while (!(control.isFarewellSaid() && !mover.hasOpenSends()) && nowNs - startNs < FAREWELL_NS);
    }
}
