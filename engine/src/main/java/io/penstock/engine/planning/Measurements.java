package io.penstock.engine.planning;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.penstock.models.weights.AtomicFile;
import io.penstock.models.weights.ModelFileException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What was measured of this machine, and whether to measure now: a file a key, which says all that the numbers depend on. */
final class Measurements {
    private static final Logger LOG = LoggerFactory.getLogger(Measurements.class);
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Map<String, Optional<? extends JsonNode>> known = new HashMap<>();
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

    /** A number that is there and not negative; throws {@link IllegalArgumentException} for anything else. */
    static double number(JsonNode numbers, String name) {
        JsonNode found = numbers.path(name);
        if (!found.isNumber() || !(found.asDouble() >= 0) || Double.isInfinite(found.asDouble())) {
            throw new IllegalArgumentException(name + ": " + found + ", expected a number that is not negative");
        }
        return found.asDouble();
    }

    /** The same of what others are divided by. */
    static double rate(JsonNode numbers, String name) {
        double found = number(numbers, name);
        if (found == 0) {
            throw new IllegalArgumentException(name + ": 0, expected more");
        }
        return found;
    }

    /**
     * What is kept of the key, or measured now and kept; asked again it is the same. Empty where nothing is kept and nothing is to be measured, or {@code measure} finds nothing.
     *
     * @param reader throws {@link IllegalArgumentException} for numbers that are missing or none
     */
    <T> Optional<T> of(String key, Function<JsonNode, T> reader, Supplier<Optional<ObjectNode>> measure) {
        Optional<? extends JsonNode> numbers = known.get(key);
        if (numbers == null) {
            numbers = keptOrMeasured(key, reader, measure);
            known.put(key, numbers);
        }
        return numbers.map(reader);
    }

    private Optional<? extends JsonNode> keptOrMeasured(
            String key, Function<JsonNode, ?> reader, Supplier<Optional<ObjectNode>> measure) {
        Optional<JsonNode> kept = when == MachinePlanner.Measure.ANEW ? Optional.empty() : read(key, reader);
        if (kept.isPresent() || when == MachinePlanner.Measure.NEVER) {
            return kept;
        }
        Optional<ObjectNode> measured = measure.get();
        measured.ifPresent(numbers -> keep(key, numbers));
        return measured;
    }

    private void keep(String key, ObjectNode numbers) {
        try {
            AtomicFile.write(file(key), numbers.put("key", key).toPrettyString());
        } catch (ModelFileException e) {
            LOG.warn("what was measured is not kept for the next time in {}: {}", folder, e.toString());
        }
    }

    private Path file(String key) {
        return folder.resolve(UUID.nameUUIDFromBytes(key.getBytes(StandardCharsets.UTF_8)) + ".json");
    }

    /** Nothing for a file that is not there, of another key, or damaged: it is measured again. */
    private Optional<JsonNode> read(String key, Function<JsonNode, ?> reader) {
        Path file = file(key);
        if (!Files.isReadable(file)) {
            return Optional.empty();
        }
        try {
            JsonNode root = JSON.readTree(file.toFile());
            if (!root.path("key").asText().equals(key)) {
                return Optional.empty();
            }
            Objects.requireNonNull(reader.apply(root));
            return Optional.of(root);
        } catch (IOException | IllegalArgumentException e) {
            LOG.warn("{} is damaged and not used: {}", file, e.toString());
            return Optional.empty();
        }
    }
}
