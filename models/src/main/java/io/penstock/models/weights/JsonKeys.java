package io.penstock.models.weights;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;

/** Typed reads of the keys of a {@code config.json}: errors name file and key. */
record JsonKeys(Path path, ObjectNode root) {
    /** Fails unless the key is absent or {@code expected}. */
    void refuse(String key, boolean expected) {
        if (flag(key, expected) != expected) {
            throw new ModelFileException(path, key + " is " + !expected + ": only " + expected + " is supported");
        }
    }

    /** Fails unless the key is absent or {@code expected}. */
    void refuseText(String key, String expected) {
        String value = root.path(key).asText(expected);
        if (!value.equals(expected)) {
            throw new ModelFileException(path, key + " is '" + value + "', expected " + expected);
        }
    }

    int required(String key) {
        if (!root.has(key)) {
            throw new ModelFileException(path, "has no " + key);
        }
        return integer(key, key, 0);
    }

    int integer(String key, String alias, int fallback) {
        JsonNode value = root.has(key) ? root.path(key) : root.path(alias);
        if (value.isMissingNode() || value.isNull()) {
            return fallback;
        }
        if (!value.isIntegralNumber() || !value.canConvertToInt()) {
            throw new ModelFileException(path, key + " is " + value + ", expected an integer");
        }
        return value.intValue();
    }

    double number(String key, double fallback) {
        JsonNode value = root.path(key);
        if (value.isMissingNode() || value.isNull()) {
            return fallback;
        }
        if (!value.isNumber()) {
            throw new ModelFileException(path, key + " is " + value + ", expected a number");
        }
        return value.doubleValue();
    }

    boolean flag(String key, boolean fallback) {
        JsonNode value = root.path(key);
        if (value.isMissingNode() || value.isNull()) {
            return fallback;
        }
        if (!value.isBoolean()) {
            throw new ModelFileException(path, key + " is " + value + ", expected true or false");
        }
        return value.booleanValue();
    }
}
