package io.penstock.engine.system;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;

/** A second, naive reader of the format, so that a checkpoint is not only read by what wrote it. */
final class Safetensors {
    private Safetensors() {}

    /** By name of every tensor its type, shape and a hash of its bytes. */
    static Map<String, String> read(Path file) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        int headerBytes = Math.toIntExact(
                ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong(0));
        JsonNode header = new ObjectMapper().readTree(new String(bytes, 8, headerBytes, StandardCharsets.UTF_8));
        Map<String, String> tensors = new TreeMap<>();
        header.properties().forEach(entry -> {
            if (!entry.getKey().equals("__metadata__")) {
                JsonNode offsets = entry.getValue().path("data_offsets");
                int from = 8 + headerBytes + offsets.path(0).asInt();
                int length = offsets.path(1).asInt() - offsets.path(0).asInt();
                String type = entry.getValue().path("dtype").asText()
                        + entry.getValue().path("shape");
                tensors.put(entry.getKey(), type + " " + sha256(bytes, from, length));
            }
        });
        return tensors;
    }

    /** By name of every tensor its elements, all F32. */
    static Map<String, float[]> floats(Path file) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        int headerBytes = Math.toIntExact(bytes.getLong(0));
        JsonNode header =
                new ObjectMapper().readTree(new String(bytes.array(), 8, headerBytes, StandardCharsets.UTF_8));
        Map<String, float[]> tensors = new TreeMap<>();
        header.properties().forEach(entry -> {
            if (!entry.getKey().equals("__metadata__")) {
                JsonNode offsets = entry.getValue().path("data_offsets");
                int from = 8 + headerBytes + offsets.path(0).asInt();
                float[] elements =
                        new float[(offsets.path(1).asInt() - offsets.path(0).asInt()) / Float.BYTES];
                for (int i = 0; i < elements.length; i++) {
                    elements[i] = bytes.getFloat(from + i * Float.BYTES);
                }
                tensors.put(entry.getKey(), elements);
            }
        });
        return tensors;
    }

    private static String sha256(byte[] bytes, int from, int length) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update(bytes, from, length);
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
