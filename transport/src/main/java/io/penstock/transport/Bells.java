package io.penstock.transport;

import org.jspecify.annotations.Nullable;

/** The doorbell of this rank and those of the peers with the same media driver; peers' are rung by the thread that has the turn. */
final class Bells {
    /** A peer that has no bell by then has none: it polls. */
    private static final int LOOKS = 100;

    private final AgentContext context;
    private final AeronPaths paths;
    private final @Nullable Doorbell own;
    private final @Nullable Doorbell[] ofPeers;
    private final int[] looks;

    Bells(AgentContext context, AeronPaths paths, int worldSize) {
        this.context = context;
        this.paths = paths;
        this.ofPeers = new Doorbell[worldSize];
        this.looks = new int[worldSize];
        SharedFiles files = paths.sharedFiles();
        this.own = Doorbell.create(files, files.doorbell(context.job(), context.epoch(), context.rank()), worldSize);
    }

    @Nullable
    Doorbell own() {
        return own;
    }

    void ring(int peer) {
        Doorbell bell = of(peer);
        if (bell != null) {
            bell.ring();
        }
    }

    /** The bell of a peer of this machine, if it has one. */
    @Nullable
    Doorbell of(int peer) {
        Doorbell bell = ofPeers[peer];
        return bell == null ? look(peer) : bell;
    }

    private @Nullable Doorbell look(int peer) {
        if (looks[peer] >= LOOKS) {
            return null;
        }
        looks[peer]++;
        if (!paths.isIpc(peer)) {
            looks[peer] = LOOKS;
            return null;
        }
        Doorbell bell =
                Doorbell.open(paths.sharedFiles().doorbell(context.job(), context.epoch(), peer), ofPeers.length);
        ofPeers[peer] = bell;
        return bell;
    }

    void close() {
        if (own != null) {
            own.close();
        }
    }
}
