package io.penstock.engine.planning;

import io.penstock.engine.config.Config;
import io.penstock.engine.training.OffloadSpace;
import java.util.Optional;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;

/** What {@link StoreProbe} measured of this machine's stores, kept beside the times of layers: a file a kind of store, folder and machine. */
final class StoreCalibration {
    private static final String RATE = "store_bytes_per_second";

    private final Config config;
    private final String key;
    private final Measurements measurements;
    private @Nullable OptionalDouble known;

    StoreCalibration(Config config, String machine, Measurements measurements) {
        this.config = config;
        this.key = String.join(" | ", "store", machine, OffloadSpace.place(config));
        this.measurements = measurements;
    }

    /** Empty where nothing is kept and nothing is to be measured, or no such store can be had. Measures once. */
    OptionalDouble bytesPerSecond() {
        if (known == null) {
            known = measurements
                    .of(key, () -> {
                        OptionalDouble rate = StoreProbe.bytesPerSecond(config);
                        return rate.isPresent()
                                ? Optional.of(Measurements.numbers().put(RATE, rate.getAsDouble()))
                                : Optional.empty();
                    })
                    .map(kept -> OptionalDouble.of(kept.path(RATE).asDouble()))
                    .orElse(OptionalDouble.empty());
        }
        return known;
    }
}
