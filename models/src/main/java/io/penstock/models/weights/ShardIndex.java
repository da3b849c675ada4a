package io.penstock.models.weights;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** {@code model.safetensors.index.json}: which shard of the same folder holds which tensor. */
public record ShardIndex(Path path, long totalBytes, Map<String, String> fileByTensor) {
    public ShardIndex {
        fileByTensor = Map.copyOf(fileByTensor);
    }

    static ShardIndex read(Path path) {
        JsonNode map = JsonFile.read(path).path("weight_map");
        if (!(map instanceof ObjectNode object) || object.isEmpty()) {
            throw new ModelFileException(path, "no weight_map");
        }
        Map<String, String> fileByTensor = new TreeMap<>();
        object.properties().forEach(e -> fileByTensor.put(e.getKey(), shard(path, e.getKey(), e.getValue())));
        return new ShardIndex(path, 0, fileByTensor);
    }

    private static String shard(Path path, String tensor, JsonNode file) {
        String name = file.asText();
        if (!file.isTextual() || !Path.of(name).equals(Path.of(name).getFileName()) || name.startsWith("..")) {
            throw new ModelFileException(path, "'" + tensor + "' is in " + file + ", expected a file of this folder");
        }
        return name;
    }

    /** Opens every shard and checks that each tensor is where the index says. */
    List<SafetensorsFile> open() {
        List<SafetensorsFile> files = new ArrayList<>();
        try {
            for (String name :
                    fileByTensor.values().stream().distinct().sorted().toList()) {
                SafetensorsFile file = SafetensorsFile.open(path.resolveSibling(name));
                files.add(file);
                fileByTensor.forEach((tensor, shard) -> {
                    if (shard.equals(name) && file.find(tensor).isEmpty()) {
                        throw new ModelFileException(
                                file.path(), "no tensor '" + tensor + "', which " + path + " puts here");
                    }
                });
            }
            return files;
        } catch (RuntimeException e) {
            files.forEach(SafetensorsFile::close);
            throw e;
        }
    }

    public void write() {
        ObjectNode root = JsonFile.object();
        root.putObject("metadata").put("total_size", totalBytes);
        ObjectNode map = root.putObject("weight_map");
        new TreeMap<>(fileByTensor).forEach(map::put);
        JsonFile.write(path, root);
    }
}
