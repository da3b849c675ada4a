package io.penstock.models.weights;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** The small JSON files of a model folder: objects, no key twice, errors with file:line:column. */
public final class JsonFile {
    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(SerializationFeature.INDENT_OUTPUT)
            .build();

    private JsonFile() {}

    public static ObjectNode object() {
        return JSON.createObjectNode();
    }

    /** Throws {@link ModelFileException}. */
    public static ObjectNode read(Path path) {
        try {
            JsonNode root = JSON.readTree(Files.readString(path));
            if (root instanceof ObjectNode object) {
                return object;
            }
            throw new ModelFileException(path, 1, 1, "no JSON object");
        } catch (JacksonException e) {
            JsonLocation at = e.getLocation();
            throw at == null
                    ? new ModelFileException(path, e)
                    : new ModelFileException(path, at.getLineNr(), at.getColumnNr(), e.getOriginalMessage());
        } catch (NoSuchFileException e) {
            throw new ModelFileException(path, "no such file");
        } catch (IOException e) {
            throw new ModelFileException(path, e);
        }
    }

    /** Atomically, indented, ending in a newline. */
    public static void write(Path path, ObjectNode root) {
        try {
            AtomicFile.write(path, JSON.writeValueAsString(root) + "\n");
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }
}
