package io.penstock.engine.planning;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.penstock.engine.config.Config;
import io.penstock.engine.config.OffloadStoreKind;
import io.penstock.engine.training.OffloadSpace;
import io.penstock.models.weights.AtomicFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalDouble;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** What {@link StoreProbe} measured of this machine's stores, kept beside the times of layers: a file a kind of store, folder and CPU. */
final class StoreCalibration {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final OffloadStoreKind kind;
    private final Path directory;
    private final Path file;
    private final String key;
    private final boolean measureAnew;
    private final boolean measureMissing;
    private @Nullable OptionalDouble known;

    StoreCalibration(Config config, String cpu, Path folder, boolean measureAnew, boolean measureMissing) {
        this.kind = config.cluster().offloadStore().kind();
        this.directory = OffloadSpace.directory(config);
        this.key = String.join(" | ", "store", cpu, OffloadSpace.place(config));
        this.file = folder.resolve(UUID.nameUUIDFromBytes(key.getBytes(StandardCharsets.UTF_8)) + ".json");
        this.measureAnew = measureAnew;
        this.measureMissing = measureMissing;
    }

    /** Empty where nothing is kept and nothing is to be measured, or no such store can be had. Measures once. */
    OptionalDouble bytesPerSecond() {
        if (known == null) {
            known = measureAnew ? OptionalDouble.empty() : read();
            if (known.isEmpty() && (measureAnew || measureMissing)) {
                known = StoreProbe.bytesPerSecond(kind, directory);
                known.ifPresent(this::write);
            }
        }
        return known;
    }

    /** Nothing of a file that is not there, of another key, or damaged. */
    private OptionalDouble read() {
        if (!Files.isReadable(file)) {
            return OptionalDouble.empty();
        }
        try {
            JsonNode root = JSON.readTree(file.toFile());
            double kept = root.path("store_bytes_per_second").asDouble();
            return root.path("key").asText().equals(key) && kept > 0 ? OptionalDouble.of(kept) : OptionalDouble.empty();
        } catch (IOException e) {
            return OptionalDouble.empty();
        }
    }

    private void write(double bytesPerSecond) {
        AtomicFile.write(
                file,
                JSON.createObjectNode()
                        .put("key", key)
                        .put("store_bytes_per_second", bytesPerSecond)
                        .toPrettyString());
    }
}
