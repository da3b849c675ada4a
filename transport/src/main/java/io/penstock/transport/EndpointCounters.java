package io.penstock.transport;

import java.util.concurrent.atomic.AtomicLongArray;

/** What passed between this rank and each peer; read from any thread, without allocation. */
public final class EndpointCounters {
    private static final Counter[] COUNTERS = Counter.values();
    private static final int LINE_LONGS = 16;

    private final int worldSize;
    private final AtomicLongArray values;

    EndpointCounters(int worldSize) {
        this.worldSize = worldSize;
        this.values = new AtomicLongArray(worldSize * LINE_LONGS);
    }

    public int worldSize() {
        return worldSize;
    }

    /** The counter of one peer. */
    public long of(int peer, Counter counter) {
        return values.get(peer * LINE_LONGS + counter.slot);
    }

    /** The counter summed over all peers. */
    public long total(Counter counter) {
        long sum = 0;
        for (int peer = 0; peer < worldSize; peer++) {
            sum += of(peer, counter);
        }
        return sum;
    }

    void add(int peer, Counter counter, long amount) {
        values.getAndAdd(peer * LINE_LONGS + counter.slot, amount);
    }

    void messageDone(Transfer transfer) {
        boolean out = transfer.outgoing;
        add(transfer.peer, out ? Counter.MESSAGES_SENT : Counter.MESSAGES_RECEIVED, 1);
        add(transfer.peer, out ? Counter.BYTES_SENT : Counter.BYTES_RECEIVED, transfer.length);
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
