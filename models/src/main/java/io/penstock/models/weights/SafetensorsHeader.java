package io.penstock.models.weights;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.penstock.tensor.Shape;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What stands before the data of a {@link SafetensorsFile}: its tensors by name, in order of their data, and free text by key. */
record SafetensorsHeader(Map<String, StoredTensor> tensors, Map<String, String> metadata) {
    static final int LENGTH_BYTES = 8;
    /** The format's own bound. */
    private static final long MAX_HEADER_BYTES = 100_000_000;

    private static final String METADATA = "__metadata__";
    private static final ValueLayout.OfLong LENGTH = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .build();

    static SafetensorsHeader parse(Path path, MemorySegment file) {
        if (file.byteSize() < LENGTH_BYTES) {
            throw new ModelFileException(path, 0, "no safetensors file: " + file.byteSize() + " bytes");
        }
        long length = file.get(LENGTH, 0);
        if (length < 2 || length > MAX_HEADER_BYTES || length > file.byteSize() - LENGTH_BYTES) {
            throw new ModelFileException(
                    path,
                    0,
                    "no safetensors file: header of " + Long.toUnsignedString(length) + " bytes in a file of "
                            + file.byteSize());
        }
        byte[] text = file.asSlice(LENGTH_BYTES, length).toArray(ValueLayout.JAVA_BYTE);
        JsonNode root = json(path, text);
        if (!(root instanceof ObjectNode object)) {
            throw new ModelFileException(path, LENGTH_BYTES, "header is no JSON object");
        }
        Map<String, String> metadata = new LinkedHashMap<>();
        List<StoredTensor> tensors = new ArrayList<>();
        object.properties().forEach(field -> {
            if (field.getKey().equals(METADATA)) {
                field.getValue()
                        .properties()
                        .forEach(m -> metadata.put(m.getKey(), m.getValue().asText()));
            } else {
                tensors.add(tensor(path, text, field.getKey(), field.getValue()));
            }
        });
        return new SafetensorsHeader(inOrderOfData(path, tensors, LENGTH_BYTES + length, file.byteSize()), metadata);
    }

    private static JsonNode json(Path path, byte[] text) {
        try {
            return JSON.readTree(new String(text, StandardCharsets.UTF_8));
        } catch (JsonProcessingException e) {
            long at = e.getLocation() == null ? 0 : Math.max(0, e.getLocation().getCharOffset());
            throw new ModelFileException(path, LENGTH_BYTES + at, "header: " + e.getOriginalMessage());
        }
    }

    private static StoredTensor tensor(Path path, byte[] text, String name, JsonNode node) {
        JsonNode dtype = node.path("dtype");
        JsonNode dims = node.path("shape");
        JsonNode offsets = node.path("data_offsets");
        if (!dtype.isTextual()
                || !isIntegers(dims)
                || !isIntegers(offsets)
                || offsets.size() != 2
                || offsets.get(0).asLong() > offsets.get(1).asLong()) {
            throw bad(path, text, name, "is " + node + ", expected dtype, shape and data_offsets [from, to]");
        }
        ElementType type = Arrays.stream(ElementType.values())
                .filter(t -> t.name().equals(dtype.asText()))
                .findFirst()
                .orElseThrow(() -> bad(path, text, name, "has unknown dtype " + dtype.asText()));
        long bytes = offsets.get(1).asLong() - offsets.get(0).asLong();
        try {
            long dataStart = (long) LENGTH_BYTES + text.length;
            StoredTensor tensor = new StoredTensor(
                    name,
                    type,
                    shape(dims),
                    Math.addExact(dataStart, offsets.get(0).asLong()));
            if (tensor.bytes() == bytes) {
                return tensor;
            }
        } catch (ArithmeticException e) {
            // a product past 2^63 fits no file: the same mistake
        }
        throw bad(path, text, name, type + dims.toString() + " does not fit its " + bytes + " bytes");
    }

    private static ModelFileException bad(Path path, byte[] text, String name, String problem) {
        return new ModelFileException(path, (long) LENGTH_BYTES + indexOf(text, name), "'" + name + "' " + problem);
    }

    private static boolean isIntegers(JsonNode node) {
        if (!(node instanceof ArrayNode array)) {
            return false;
        }
        for (JsonNode element : array) {
            if (!element.canConvertToLong() || !element.isIntegralNumber() || element.asLong() < 0) {
                return false;
            }
        }
        return true;
    }

    private static Shape shape(JsonNode dims) {
        long[] shape = new long[dims.size()];
        for (int i = 0; i < shape.length; i++) {
            shape[i] = dims.get(i).asLong();
        }
        return shape.length == 0 ? Shape.of(1) : Shape.of(shape);
    }

    private static Map<String, StoredTensor> inOrderOfData(
            Path path, List<StoredTensor> tensors, long dataStart, long fileBytes) {
        tensors.sort(Comparator.comparingLong(StoredTensor::offset).thenComparingLong(StoredTensor::bytes));
        Map<String, StoredTensor> byName = new LinkedHashMap<>();
        long expected = dataStart;
        for (StoredTensor tensor : tensors) {
            if (tensor.offset() != expected) {
                throw new ModelFileException(
                        path,
                        tensor.offset(),
                        "'" + tensor.name() + "' begins at byte " + tensor.offset() + ", "
                                + (tensor.offset() < expected ? "overlapping" : "leaving a gap after")
                                + " what ends at " + expected);
            }
            expected = Math.addExact(expected, tensor.bytes());
            byName.put(tensor.name(), tensor);
        }
        if (expected != fileBytes) {
            throw new ModelFileException(
                    path,
                    Math.min(expected, fileBytes),
                    "tensors end at byte " + expected + ", the file at " + fileBytes
                            + (expected > fileBytes ? ": it is cut short" : ""));
        }
        return byName;
    }

    /** Where {@code name} stands in the header; 0 if it is written with escapes. */
    private static int indexOf(byte[] text, String name) {
        byte[] quoted = ('"' + name + '"').getBytes(StandardCharsets.UTF_8);
        for (int i = 0; i + quoted.length <= text.length; i++) {
            if (Arrays.equals(text, i, i + quoted.length, quoted, 0, quoted.length)) {
                return i;
            }
        }
        return 0;
    }

    /** The bytes before the data, header padded so that data begin at a multiple of 8. {@code tensors} in order of their data. */
    static byte[] bytes(List<StoredTensor> tensors, Map<String, String> metadata) {
        ObjectNode root = JSON.createObjectNode();
        if (!metadata.isEmpty()) {
            ObjectNode node = root.putObject(METADATA);
            metadata.forEach(node::put);
        }
        for (StoredTensor tensor : tensors) {
            ObjectNode node = root.putObject(tensor.name());
            node.put("dtype", tensor.type().name());
            ArrayNode dims = node.putArray("shape");
            for (int i = 0; i < tensor.shape().rank(); i++) {
                dims.add(tensor.shape().dim(i));
            }
            node.putArray("data_offsets").add(tensor.offset()).add(tensor.offset() + tensor.bytes());
        }
        byte[] json = root.toString().getBytes(StandardCharsets.UTF_8);
        int padded = Math.ceilDiv(json.length, 8) * 8;
        byte[] bytes = new byte[LENGTH_BYTES + padded];
        Arrays.fill(bytes, (byte) ' ');
        System.arraycopy(json, 0, bytes, LENGTH_BYTES, json.length);
        MemorySegment.ofArray(bytes).set(LENGTH, 0, padded);
        return bytes;
    }
}
