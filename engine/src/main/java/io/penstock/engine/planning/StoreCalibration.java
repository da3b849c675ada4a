package io.penstock.engine.planning;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.penstock.engine.config.Config;
import io.penstock.engine.config.OffloadStoreKind;
import io.penstock.engine.training.OffloadSpace;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.UUID;

/** What {@link StoreProbe} measured of this machine's stores, kept beside the times of layers: a file a kind of store, folder and CPU. */
final class StoreCalibration {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final OffloadStoreKind kind;
    private final Path directory;
    private final Path file;
    private final String key;
    private final boolean measureAnew;
    private final boolean measureMissing;

    StoreCalibration(Config config, String cpu, Path folder, boolean measureAnew, boolean measureMissing) {
        this.kind = config.cluster().offloadStore().kind();
        this.directory = OffloadSpace.directory(config);
        this.key = String.join(" | ", "store", cpu, OffloadSpace.place(config));
        this.file = folder.resolve(UUID.nameUUIDFromBytes(key.getBytes(StandardCharsets.UTF_8)) + ".json");
        this.measureAnew = measureAnew;
        this.measureMissing = measureMissing;
    }

    /** {@code otherwise} where nothing is kept and nothing is to be measured, or no such store can be had. */
    double bytesPerSecond(double otherwise) {
        double kept = measureAnew ? 0 : read();
        if (kept > 0) {
            return kept;
        }
        if (!measureAnew && !measureMissing) {
            return otherwise;
        }
        double measured = StoreProbe.bytesPerSecond(kind, directory, otherwise);
        write(measured);
        return measured;
    }

    /** 0 for a file that is not there, of another key, or damaged. */
    private double read() {
        if (!Files.isReadable(file)) {
            return 0;
        }
        try {
            JsonNode root = JSON.readTree(file.toFile());
            return root.path("key").asText().equals(key)
                    ? root.path("store_bytes_per_second").asDouble()
                    : 0;
        } catch (IOException e) {
            return 0;
        }
    }

    private void write(double bytesPerSecond) {
        try {
            Files.createDirectories(file.getParent());
            Path whole = Files.createTempFile(file.getParent(), "calibration", ".tmp");
            Files.writeString(
                    whole,
                    JSON.writerWithDefaultPrettyPrinter()
                            .writeValueAsString(JSON.createObjectNode()
                                    .put("key", key)
                                    .put("store_bytes_per_second", bytesPerSecond)));
            Files.move(whole, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new UncheckedIOException("keeping a calibration in " + file.getParent(), e);
        }
    }
}
