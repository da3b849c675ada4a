package io.penstock.transport;

import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.function.IntFunction;

/**
 * Limits of an endpoint; times in nanoseconds.
 *
 * @param transfers transfers that may be in flight at once; all are allocated at start
 * @param waitLimitNs the longest that {@link Endpoint#await} waits for a peer that is alive
 * @param heartbeatNs how often a rank tells each peer that it lives
 * @param probeNs after so much silence the process of a peer on this machine is looked up, and the peer lost if it is gone
 * @param silenceNs after so much silence a peer is lost, whatever the reason
 * @param firstContactNs how long a peer may take until its first heartbeat
 * @param yieldNs how long a thread that moves bytes and found none yields, after two microseconds of spinning, before it sleeps; 0 sleeps at once, which costs a wake-up a
 *     message, and more keeps a core warm that others may have at any time
 * @param checksum whether frames carry a CRC32C, which costs one more copy through the cache on each side
 * @param activityNames words for the activity numbers of {@link Endpoint#progress}, for messages
 */
public record EndpointSettings(
        int transfers,
        long waitLimitNs,
        long heartbeatNs,
        long probeNs,
        long silenceNs,
        long firstContactNs,
        long yieldNs,
        boolean checksum,
        IntFunction<String> activityNames) {
    public static final EndpointSettings DEFAULT = new EndpointSettings(
            4096,
            TimeUnit.MINUTES.toNanos(10),
            TimeUnit.MILLISECONDS.toNanos(200),
            TimeUnit.MILLISECONDS.toNanos(1_000),
            TimeUnit.MILLISECONDS.toNanos(4_000),
            TimeUnit.SECONDS.toNanos(30),
            Patience.YIELD_NS,
            false,
            activity -> "activity " + activity);

    public EndpointSettings {
        Objects.requireNonNull(activityNames);
        if (transfers < 1 || yieldNs < 0) {
            throw new IllegalArgumentException(
                    "want transfers=" + transfers + " >= 1 and yieldNs=" + yieldNs + " >= 0");
        }
        if (!(0 < heartbeatNs && heartbeatNs < probeNs && probeNs <= silenceNs && silenceNs <= waitLimitNs)) {
            throw new IllegalArgumentException("want 0 < heartbeatNs=" + heartbeatNs + " < probeNs=" + probeNs
                    + " <= silenceNs=" + silenceNs + " <= waitLimitNs=" + waitLimitNs);
        }
    }

    public EndpointSettings withWaitLimit(long limit, TimeUnit unit) {
        return new EndpointSettings(
                transfers,
                unit.toNanos(limit),
                heartbeatNs,
                probeNs,
                silenceNs,
                firstContactNs,
                yieldNs,
                checksum,
                activityNames);
    }

    public EndpointSettings withTransfers(int count) {
        return new EndpointSettings(
                count, waitLimitNs, heartbeatNs, probeNs, silenceNs, firstContactNs, yieldNs, checksum, activityNames);
    }

    public EndpointSettings withChecksum(boolean on) {
        return new EndpointSettings(
                transfers, waitLimitNs, heartbeatNs, probeNs, silenceNs, firstContactNs, yieldNs, on, activityNames);
    }

    public EndpointSettings withYield(long time, TimeUnit unit) {
        return new EndpointSettings(
                transfers,
                waitLimitNs,
                heartbeatNs,
                probeNs,
                silenceNs,
                firstContactNs,
                unit.toNanos(time),
                checksum,
                activityNames);
    }

    public EndpointSettings withActivityNames(IntFunction<String> names) {
        return new EndpointSettings(
                transfers, waitLimitNs, heartbeatNs, probeNs, silenceNs, firstContactNs, yieldNs, checksum, names);
    }
}
