package io.penstock.transport;

import java.io.IOException;

/** Which channel, stream and shared file lead from one rank to another. */
final class AeronPaths {
    private static final String IPC = "aeron:ipc";
    private static final long GOLDEN = 0x9E37_79B9_7F4A_7C15L;
    private static final int STREAM_BITS = 30;
    private static final long SHORT_BYTES = 64 << 10;
    /** Below this, one copy saved is worth less than the news that the bytes were taken. */
    private static final long SHARED_FROM_BYTES = 16 << 10;

    private final Membership membership;
    private final Member self;
    private final AeronSettings settings;
    private final SharedFiles files;
    private final int firstStream;

    AeronPaths(Membership membership, int rank, AeronSettings settings) {
        this.membership = membership;
        this.self = membership.member(rank);
        this.settings = settings;
        this.firstStream = firstStream(membership);
        this.files = SharedFiles.in(self.driverDirectory());
    }

    boolean isIpc(int peer) {
        Member other = membership.member(peer);
        boolean shared = other.machine().equals(self.machine())
                && other.driverDirectory().equals(self.driverDirectory());
        return switch (settings.path()) {
            case AUTO -> shared;
            case UDP -> false;
            case IPC -> {
                if (!shared) {
                    throw new TransportException("no Aeron IPC between rank " + self.rank() + " (driver in "
                            + self.driverDirectory() + " on " + self.host() + ") and rank " + peer + " (driver in "
                            + other.driverDirectory() + " on " + other.host() + "): they need one media driver");
                }
                yield true;
            }
        };
    }

    boolean isIpcToAll() {
        for (int peer = 0; peer < membership.worldSize(); peer++) {
            if (peer != self.rank() && !isIpc(peer)) {
                return false;
            }
        }
        return true;
    }

    /** Up to here a thread that posts a receive does it itself if the bytes are here: it takes no longer than to wake another thread. */
    long shortBytes() {
        return SHORT_BYTES;
    }

    String publication(int peer) {
        return isIpc(peer)
                ? IPC + "?term-length=" + settings.ipc().termBytes() + "|mtu=" + AeronSettings.MAX_MTU_BYTES
                : udp(peer) + "|term-length=" + settings.udp().termBytes() + "|mtu="
                        + settings.udp().mtuBytes();
    }

    String controlPublication(int peer) {
        String terms = "term-length=" + AeronSettings.CONTROL_TERM_BYTES + "|mtu=" + AeronSettings.CONTROL_MTU_BYTES;
        return isIpc(peer) ? IPC + "?" + terms : udp(peer) + "|" + terms;
    }

    private String udp(int peer) {
        return "aeron:udp?endpoint=" + endpoint(membership.member(peer)) + "|so-sndbuf="
                + settings.udp().windowBytes();
    }

    String subscription(int peer) {
        return isIpc(peer)
                ? IPC
                : "aeron:udp?endpoint=" + endpoint(self) + "|so-rcvbuf="
                        + settings.udp().windowBytes() + "|rcv-wnd="
                        + settings.udp().windowBytes();
    }

    /** What the streams between all ranks take of this driver's shared memory, once each was used in every lane. */
    long bytesOfAllStreams() {
        long pairs = (long) membership.worldSize() * (membership.worldSize() - 1);
        return pairs * Kind.LANES * settings.ipc().streamBytes();
    }

    SharedFiles sharedFiles() {
        return files;
    }

    /** Messages so long or longer are read by the peer where they are, if that is shared memory. */
    long sharedFromBytes() {
        return SHARED_FROM_BYTES;
    }

    /** Messages so long or longer are copied by sender and receiver together, where they can reach each other's memory. */
    long crossFromBytes() {
        int bytes = settings.ipc().crossFromBytes();
        return bytes == IpcSettings.NEVER ? Long.MAX_VALUE : bytes;
    }

    /** Messages so long or longer go to this peer through a slab. */
    long slabFromBytes(int peer) {
        return isIpc(peer) && settings.ipc().slabSlots() > 0 ? settings.ipc().slabFromBytes() : Long.MAX_VALUE;
    }

    Slab createSlab(StreamFile.Stream stream) throws IOException {
        return Slab.create(
                files, stream, settings.ipc().slabSlots(), settings.ipc().slabSlotBytes());
    }

    Slab openSlab(StreamFile.Stream stream) throws IOException {
        return Slab.open(files, stream);
    }

    private static String endpoint(Member member) {
        if (member.udpEndpoint().isEmpty()) {
            throw new TransportException("rank " + member.rank() + " on " + member.host()
                    + " named no UDP endpoint, and cannot be reached otherwise");
        }
        return member.udpEndpoint();
    }

    /** Each run, and each epoch of one, has streams of its own, in case that they share a driver. */
    private static int firstStream(Membership membership) {
        long mixed = (membership.job() + membership.epoch() * GOLDEN) * GOLDEN;
        return (int) (mixed >>> (Long.SIZE - STREAM_BITS));
    }

    int controlStream(int source, int destination) {
        return firstStream + source * membership.worldSize() + destination;
    }

    int dataStream(int source, int destination, int lane) {
        int pairs = membership.worldSize() * membership.worldSize();
        return firstStream + pairs + (source * membership.worldSize() + destination) * Kind.LANES + lane;
    }
}
