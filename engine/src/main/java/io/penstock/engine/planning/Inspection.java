package io.penstock.engine.planning;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.penstock.engine.checkpoint.CheckpointException;
import io.penstock.engine.checkpoint.CheckpointManifest;
import io.penstock.engine.checkpoint.CheckpointReader;
import io.penstock.engine.run.RunDirectory;
import io.penstock.models.weights.ModelFileException;
import io.penstock.models.weights.SafetensorsFile;
import io.penstock.models.weights.StoredTensor;
import io.penstock.partitioner.render.Bytes;
import io.penstock.partitioner.render.PlanText;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** What is in a run's folder, a checkpoint or a weights file. */
public final class Inspection {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String MANIFEST = "manifest.json";
    private static final String WEIGHTS = ".safetensors";

    private Inspection() {}

    /**
     * By what the path holds.
     *
     * @throws CheckpointException if it is none of them, or a checkpoint is damaged
     * @throws ModelFileException if a weights file is damaged
     */
    public static ObjectNode of(Path path) throws IOException {
        if (Files.isRegularFile(path)) {
            return weights(path);
        }
        RunDirectory run = new RunDirectory(path);
        if (Files.isRegularFile(run.plan()) && Files.isRegularFile(run.config())) {
            return run(run);
        }
        if (Files.isRegularFile(path.resolve(MANIFEST))) {
            return checkpoint(path);
        }
        if (Files.isDirectory(path) && !shards(path).isEmpty()) {
            ObjectNode root = JSON.createObjectNode().put("kind", "model");
            addFiles(root, path);
            return root;
        }
        throw new CheckpointException(
                Files.exists(path)
                        ? path
                                + " is no run folder (config.yaml, plan.json), checkpoint (manifest.json) or safetensors file"
                        : "no such file or folder: " + path);
    }

    private static List<Path> shards(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.toString().endsWith(WEIGHTS))
                    .sorted()
                    .toList();
        }
    }

    private static ObjectNode run(RunDirectory run) throws IOException {
        ObjectNode root = JSON.createObjectNode().put("kind", "run");
        root.put("path", run.root().toString());
        JsonNode plan = JSON.readTree(run.plan().toFile());
        for (String key :
                List.of("parameters", "schedule", "micro_batches", "micro_batch_size", "sequence_length", "compute")) {
            root.set(key, plan.path(key));
        }
        root.put("ranks", plan.path("ranks").size());
        if (Files.exists(run.metrics())) {
            List<String> lines = Files.readAllLines(run.metrics());
            for (String line : lines.reversed()) {
                JsonNode step = JSON.readTree(line);
                if (step.has("loss")) {
                    root.set("last_step", step);
                    break;
                }
            }
        }
        ArrayNode checkpoints = root.putArray("checkpoints");
        if (Files.isDirectory(run.checkpoints())) {
            try (Stream<Path> folders = Files.list(run.checkpoints())) {
                folders.filter(folder -> Files.exists(folder.resolve(MANIFEST)))
                        .sorted()
                        .forEach(folder -> checkpoints.add(folder.getFileName().toString()));
            }
        }
        CheckpointReader.latest(run.checkpoints()).ifPresent(latest -> root.put("latest", latest.toString()));
        return root;
    }

    private static ObjectNode checkpoint(Path path) throws IOException {
        CheckpointManifest manifest = CheckpointManifest.read(path);
        manifest.verify(path);
        ObjectNode root = JSON.createObjectNode().put("kind", "checkpoint");
        root.put("step", manifest.step()).put("seed", manifest.seed()).put("tokens", manifest.tokens());
        root.put("verified", true);
        root.put(
                "bytes",
                manifest.files().stream()
                        .mapToLong(CheckpointManifest.Entry::bytes)
                        .sum());
        addFiles(root, path);
        return root;
    }

    private static void addFiles(ObjectNode root, Path folder) throws IOException {
        ArrayNode files = root.putArray("files");
        for (Path shard : shards(folder)) {
            ObjectNode file = weights(shard);
            file.remove("tensors");
            files.add(file);
        }
    }

    private static ObjectNode weights(Path path) {
        ObjectNode root = JSON.createObjectNode().put("kind", "safetensors");
        root.put("path", path.toString());
        try (SafetensorsFile file = SafetensorsFile.open(path)) {
            root.put(
                    "bytes",
                    file.tensors().stream().mapToLong(StoredTensor::bytes).sum());
            root.put(
                    "elements",
                    file.tensors().stream().mapToLong(t -> t.shape().elements()).sum());
            root.put("count", file.tensors().size());
            ObjectNode metadata = root.putObject("metadata");
            for (Map.Entry<String, String> entry : file.metadata().entrySet()) {
                metadata.put(entry.getKey(), entry.getValue());
            }
            ArrayNode tensors = root.putArray("tensors");
            file.tensors().stream()
                    .sorted(Comparator.comparing(StoredTensor::name))
                    .forEach(tensor -> tensors.addObject()
                            .put("name", tensor.name())
                            .put("type", tensor.type().toString())
                            .put("shape", tensor.shape().toString())
                            .put("bytes", tensor.bytes()));
        }
        return root;
    }

    /** As lines for people. */
    public static String text(ObjectNode found) {
        StringBuilder text = new StringBuilder();
        found.properties().forEach(field -> {
            JsonNode value = field.getValue();
            switch (field.getKey()) {
                case "tensors" ->
                    value.forEach(tensor -> text.append(PlanWords.format(
                            "  %-40s %-6s %-16s %s%n",
                            tensor.path("name").asText(),
                            tensor.path("type").asText(),
                            tensor.path("shape").asText(),
                            Bytes.text(tensor.path("bytes").asDouble()))));
                case "files" ->
                    value.forEach(file -> text.append(PlanWords.format(
                            "  %-40s %4d tensors, %s elements, %s%n",
                            Path.of(file.path("path").asText()).getFileName(),
                            file.path("count").asInt(),
                            PlanText.count(file.path("elements").asDouble()),
                            Bytes.text(file.path("bytes").asDouble()))));
                case "bytes" -> line(text, "bytes", Bytes.text(value.asDouble()));
                case "parameters", "elements" -> line(text, field.getKey(), PlanText.count(value.asDouble()));
                default -> {
                    if (!value.isContainerNode()) {
                        line(text, field.getKey(), value.asText());
                    } else if (!value.isEmpty()) {
                        line(text, field.getKey(), value.toString());
                    }
                }
            }
        });
        return text.toString();
    }

    private static void line(StringBuilder text, String name, String value) {
        text.append(PlanWords.format("%-18s %s%n", name, value));
    }
}
