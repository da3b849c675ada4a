package io.penstock.engine.checkpoint;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.penstock.engine.optimizer.LossScale;
import io.penstock.models.weights.AtomicFile;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * {@code manifest.json}, written last: a checkpoint without it is none.
 *
 * <pre>
 * {"format": 1, "step": 100, "seed": 1, "tokens": 1638400,
 *  "loss_scale": {"scale": 65536, "good_steps": 98, "skipped_steps": 2},
 *  "files": [{"name": "model.safetensors", "bytes": 26214400, "sha256": "..."}, ...]}
 * </pre>
 *
 * @param step optimizer steps done
 * @param seed of the run, which gives the order of its data
 * @param tokens trained on so far
 * @param lossScale of a run in f16
 */
public record CheckpointManifest(
        int step, long seed, long tokens, Optional<LossScale.State> lossScale, List<Entry> files) {
    static final String FILE = "manifest.json";
    private static final int FORMAT = 1;
    private static final int BUFFER_BYTES = 1 << 20;
    private static final ObjectMapper JSON = new ObjectMapper();

    /** One file of the checkpoint's folder. */
    public record Entry(String name, long bytes, String sha256) {}

    public CheckpointManifest {
        files = List.copyOf(files);
    }

    /** Hashes every file of {@code folder}. */
    static CheckpointManifest of(Path folder, int step, long seed, long tokens, Optional<LossScale.State> lossScale)
            throws IOException {
        List<Entry> files = new ArrayList<>();
        try (Stream<Path> paths = Files.list(folder)) {
            for (Path path : paths.sorted().toList()) {
                files.add(new Entry(path.getFileName().toString(), Files.size(path), sha256(path)));
            }
        }
        return new CheckpointManifest(step, seed, tokens, lossScale, files);
    }

    void write(Path folder) {
        ObjectNode root = JSON.createObjectNode();
        root.put("format", FORMAT).put("step", step).put("seed", seed).put("tokens", tokens);
        lossScale.ifPresent(state -> root.putObject("loss_scale")
                .put("scale", (long) state.scale())
                .put("good_steps", state.goodSteps())
                .put("skipped_steps", state.skippedSteps()));
        ArrayNode list = root.putArray("files");
        for (Entry file : files) {
            list.addObject().put("name", file.name()).put("bytes", file.bytes()).put("sha256", file.sha256());
        }
        try {
            AtomicFile.write(
                    folder.resolve(FILE), JSON.writerWithDefaultPrettyPrinter().writeValueAsString(root) + "\n");
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Reads a checkpoint's manifest; throws {@link CheckpointException} where there is none or it is damaged. */
    public static CheckpointManifest read(Path folder) {
        Path path = folder.resolve(FILE);
        if (!Files.isRegularFile(path)) {
            throw new CheckpointException(folder + " is no checkpoint: it has no " + FILE
                    + " (an interrupted one has none; use an older step)");
        }
        try {
            JsonNode root = JSON.readTree(path.toFile());
            if (root.path("format").asInt() != FORMAT) {
                throw new CheckpointException(
                        path + ": format " + root.path("format") + ", this version reads " + FORMAT);
            }
            List<Entry> files = new ArrayList<>();
            for (JsonNode file : root.path("files")) {
                files.add(new Entry(
                        file.path("name").asText(),
                        file.path("bytes").asLong(),
                        file.path("sha256").asText()));
            }
            return new CheckpointManifest(
                    root.path("step").asInt(),
                    root.path("seed").asLong(),
                    root.path("tokens").asLong(),
                    lossScale(path, root.path("loss_scale")),
                    files);
        } catch (IOException e) {
            throw new CheckpointException(path + ": " + e.getMessage(), e);
        }
    }

    private static Optional<LossScale.State> lossScale(Path path, JsonNode node) {
        if (node.isMissingNode()) {
            return Optional.empty();
        }
        try {
            return Optional.of(new LossScale.State(
                    node.path("scale").asDouble(),
                    node.path("good_steps").asInt(-1),
                    node.path("skipped_steps").asInt(-1)));
        } catch (IllegalArgumentException e) {
            throw new CheckpointException(path + ": " + e.getMessage(), e);
        }
    }

    /** {@link #verify} of what inference reads. A folder without a manifest, of a model from elsewhere, has nothing to compare with. */
    public static void verifyWeights(Path folder) {
        if (Files.isRegularFile(folder.resolve(FILE))) {
            CheckpointManifest all = read(folder);
            List<Entry> weights = all.files.stream()
                    .filter(file -> !file.name().startsWith(ShardNames.OPTIMIZER))
                    .toList();
            new CheckpointManifest(all.step, all.seed, all.tokens, all.lossScale, weights).verify(folder);
        }
    }

    /** Compares every file with its hash; throws {@link CheckpointException} naming the first that differs. */
    public void verify(Path folder) {
        for (Entry file : files) {
            Path path = folder.resolve(file.name());
            try {
                if (!Files.isRegularFile(path)) {
                    throw new CheckpointException(path + " is missing; the manifest lists it");
                }
                if (Files.size(path) != file.bytes()) {
                    throw new CheckpointException(
                            path + " has " + Files.size(path) + " bytes, the manifest says " + file.bytes());
                }
                String found = sha256(path);
                if (!found.equals(file.sha256())) {
                    throw new CheckpointException(
                            path + " is damaged: sha256 " + found + ", the manifest says " + file.sha256());
                }
            } catch (IOException e) {
                throw new CheckpointException(path + ": " + e.getMessage(), e);
            }
        }
    }

    private static String sha256(Path path) throws IOException {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            try (InputStream in = new DigestInputStream(Files.newInputStream(path), digest)) {
                byte[] buffer = new byte[BUFFER_BYTES];
                while (in.read(buffer) >= 0) {
                    // The digest sees what passes.
                }
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
