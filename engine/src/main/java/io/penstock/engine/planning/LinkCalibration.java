package io.penstock.engine.planning;

import io.penstock.engine.config.ClusterConfig;
import java.util.Optional;

/** What {@link LinkProbe} measured, kept a machine and way of messages. */
final class LinkCalibration {
    private static final String SECONDS = "message_seconds";
    private static final String RATE = "message_bytes_per_second";

    private final ClusterConfig cluster;
    private final String key;
    private final Measurements measurements;

    LinkCalibration(ClusterConfig cluster, String machine, Measurements measurements) {
        this.cluster = cluster;
        this.key = String.join(
                " | ", "messages", machine, LinkProbe.isDirect(cluster) ? "device to device" : "through the host");
        this.measurements = measurements;
    }

    Optional<LinkProbe.Measured> rates() {
        return measurements
                .of(key, () -> {
                    LinkProbe.Measured measured = LinkProbe.measure(cluster);
                    return Optional.of(Measurements.numbers()
                            .put(SECONDS, measured.seconds())
                            .put(RATE, measured.bytesPerSecond()));
                })
                .map(kept -> new LinkProbe.Measured(
                        kept.path(SECONDS).asDouble(), kept.path(RATE).asDouble()));
    }
}
