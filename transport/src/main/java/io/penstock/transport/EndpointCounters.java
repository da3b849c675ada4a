package io.penstock.transport;

import java.util.concurrent.atomic.AtomicLongArray;

/** What passed between this rank and each peer, a lane at a time; read from any thread, without allocation. */
public final class EndpointCounters {
    private static final Counter[] COUNTERS = Counter.values();
    private static final int LINE_LONGS = 16;

    private final int worldSize;
    private final AtomicLongArray values;

    EndpointCounters(int worldSize) {
        this.worldSize = worldSize;
        this.values = new AtomicLongArray(worldSize * Kind.LANES * LINE_LONGS);
    }

    public int worldSize() {
        return worldSize;
    }

    /** The counter of one stream: what goes to and comes from a peer in the lane of a kind. */
    public long of(int peer, Kind kind, Counter counter) {
        return values.get(index(peer, kind.lane(), counter));
    }

    /** The counter of one peer, all lanes together. */
    public long of(int peer, Counter counter) {
        long sum = 0;
        for (int lane = 0; lane < Kind.LANES; lane++) {
            sum += values.get(index(peer, lane, counter));
        }
        return sum;
    }

    private static int index(int peer, int lane, Counter counter) {
        return (peer * Kind.LANES + lane) * LINE_LONGS + counter.slot;
    }

    /** The counter summed over all peers. */
    public long total(Counter counter) {
        long sum = 0;
        for (int peer = 0; peer < worldSize; peer++) {
            sum += of(peer, counter);
        }
        return sum;
    }

    void add(int peer, int lane, Counter counter, long amount) {
        values.getAndAdd(index(peer, lane, counter), amount);
    }

    void set(int peer, int lane, Counter counter, long value) {
        values.set(index(peer, lane, counter), value);
    }

    void messageDone(Transfer transfer) {
        boolean out = transfer.outgoing;
        int lane = transfer.tag.kind().lane();
        add(transfer.peer, lane, out ? Counter.MESSAGES_SENT : Counter.MESSAGES_RECEIVED, 1);
        add(transfer.peer, lane, out ? Counter.BYTES_SENT : Counter.BYTES_RECEIVED, transfer.length);
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        for (Counter counter : COUNTERS) {
            text.append(text.isEmpty() ? "" : ", ").append(counter).append('=').append(total(counter));
        }
        return text.toString();
    }
}
