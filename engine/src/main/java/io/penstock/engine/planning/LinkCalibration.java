package io.penstock.engine.planning;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.penstock.engine.config.ClusterConfig;
import java.util.Optional;

/** What {@link LinkProbe} measured, kept a machine and way of messages. */
final class LinkCalibration {
    private static final String SECONDS = "message_seconds";
    private static final String RATE = "message_bytes_per_second";

    private final ClusterConfig cluster;
    private final String machine;
    private final Measurements measurements;

    LinkCalibration(ClusterConfig cluster, String machine, Measurements measurements) {
        this.cluster = cluster;
        this.machine = machine;
        this.measurements = measurements;
    }

    /** Of {@code ranks} ranks that send at once. */
    Optional<LinkProbe.Measured> rates(int ranks) {
        String way = switch (cluster.device()) {
            case CPU -> "copies of " + ranks + " ranks";
            case CUDA -> LinkProbe.isDirect(cluster) ? "device to device" : "through the host";
        };
        return measurements.of(
                String.join(" | ", "messages", machine, way),
                kept -> new LinkProbe.Measured(Measurements.number(kept, SECONDS), Measurements.rate(kept, RATE)),
                () -> Optional.of(numbers(LinkProbe.measure(cluster, ranks))));
    }

    private static ObjectNode numbers(LinkProbe.Measured measured) {
        return Measurements.numbers().put(SECONDS, measured.seconds()).put(RATE, measured.bytesPerSecond());
    }
}
