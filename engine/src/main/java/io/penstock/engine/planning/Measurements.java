package io.penstock.engine.planning;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.penstock.models.weights.AtomicFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Supplier;

/** What was measured of this machine, and whether to measure now: a file a key, which says all that the numbers depend on. */
final class Measurements {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Path folder;
    private final MachinePlanner.Measure when;

    Measurements(Path folder, MachinePlanner.Measure when) {
        this.folder = folder;
        this.when = when;
    }

    /** Kept in {@code ~/.cache/penstock/calibration}, or the folder of the property {@code penstock.cache}. */
    static Measurements ofThisUser(MachinePlanner.Measure when) {
        String home = System.getProperty("user.home", ".");
        return new Measurements(
                Path.of(System.getProperty("penstock.cache", home + "/.cache/penstock"))
                        .resolve("calibration"),
                when);
    }

    static ObjectNode numbers() {
        return JSON.createObjectNode();
    }

    /** Empty where nothing is kept of the key and nothing is to be measured, or {@code measure} finds nothing, which is not kept. */
    Optional<? extends JsonNode> of(String key, Supplier<Optional<ObjectNode>> measure) {
        Optional<JsonNode> kept = when == MachinePlanner.Measure.ANEW ? Optional.empty() : read(key);
        if (kept.isPresent() || when == MachinePlanner.Measure.NEVER) {
            return kept;
        }
        Optional<ObjectNode> measured = measure.get();
        measured.ifPresent(
                numbers -> AtomicFile.write(file(key), numbers.put("key", key).toPrettyString()));
        return measured;
    }

    private Path file(String key) {
        return folder.resolve(UUID.nameUUIDFromBytes(key.getBytes(StandardCharsets.UTF_8)) + ".json");
    }

    /** Nothing for a file that is not there, of another key, or damaged: it is measured again. */
    private Optional<JsonNode> read(String key) {
        Path file = file(key);
        if (!Files.isReadable(file)) {
            return Optional.empty();
        }
        try {
            JsonNode root = JSON.readTree(file.toFile());
            return root.path("key").asText().equals(key) ? Optional.of(root) : Optional.empty();
        } catch (IOException e) {
            return Optional.empty();
        }
    }
}
