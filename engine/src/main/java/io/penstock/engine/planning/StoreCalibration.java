package io.penstock.engine.planning;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.penstock.engine.config.Config;
import io.penstock.engine.training.OffloadSpace;
import java.util.Optional;
import java.util.OptionalDouble;

/** What {@link StoreProbe} measured of this machine's stores, kept beside the times of layers: a file a kind of store, folder and machine. */
final class StoreCalibration {
    private static final String RATE = "store_bytes_per_second";

    private final Config config;
    private final String key;
    private final Measurements measurements;

    StoreCalibration(Config config, String machine, Measurements measurements) {
        this.config = config;
        this.key = String.join(" | ", "store", machine, OffloadSpace.place(config));
        this.measurements = measurements;
    }

    /** Empty where nothing is kept and nothing is to be measured, or no such store can be had. */
    OptionalDouble bytesPerSecond() {
        return measurements
                .of(key, numbers -> Measurements.rate(numbers, RATE), this::measured)
                .map(OptionalDouble::of)
                .orElse(OptionalDouble.empty());
    }

    private Optional<ObjectNode> measured() {
        OptionalDouble rate = StoreProbe.bytesPerSecond(config);
        return rate.isPresent() ? Optional.of(Measurements.numbers().put(RATE, rate.getAsDouble())) : Optional.empty();
    }
}
