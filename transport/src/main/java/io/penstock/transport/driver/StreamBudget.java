package io.penstock.transport.driver;

import io.penstock.transport.AeronSettings;

/**
 * The bytes of shared memory that the streams of one media driver take.
 *
 * @param streams data streams: one for each pair of ranks that talk, each direction and lane
 * @param ranks all ranks of the run, each of which keeps a control stream to each other
 * @param ipc whether the ranks share this driver, so that a stream exists once; over UDP sender and receiver each have theirs
 */
public record StreamBudget(int streams, int ranks, boolean ipc) {
    /** Aeron's command and counters file and its loss report, as {@link DriverHost} sizes them. */
    private static final long DRIVER_BYTES = 18L << 20;

    private static final long LOG_METADATA_BYTES = 4096;
    private static final long PAGE_BYTES = 4096;
    /** A doorbell: its head, and a count a peer and lane. */
    private static final long DOORBELL_HEAD_BYTES = 128;

    private static final long DOORBELL_PEER_BYTES = 32;

    public long bytes(AeronSettings settings) {
        long copies = ipc ? 1 : 2;
        long dataBytes = ipc ? settings.ipc().streamBytes() : settings.udp().streamBytes();
        long controlBytes = (long) AeronSettings.TERMS * AeronSettings.CONTROL_TERM_BYTES + LOG_METADATA_BYTES;
        long control = (long) ranks * (ranks - 1);
        long doorbell = Math.ceilDiv(DOORBELL_HEAD_BYTES + ranks * DOORBELL_PEER_BYTES, PAGE_BYTES) * PAGE_BYTES;
        return DRIVER_BYTES
                + ranks * doorbell
                + copies * (streams * (dataBytes + LOG_METADATA_BYTES) + control * controlBytes);
    }
}
