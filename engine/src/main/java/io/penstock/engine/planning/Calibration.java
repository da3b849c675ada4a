package io.penstock.engine.planning;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.penstock.engine.config.Config;
import io.penstock.engine.config.ConfigModels;
import io.penstock.engine.training.RunSetup;
import io.penstock.models.MicroBatchShape;
import io.penstock.models.ModelConfig;
import io.penstock.models.ModelSpec;
import io.penstock.models.weights.AtomicFile;
import io.penstock.partitioner.CostModel.PhaseSeconds;
import io.penstock.partitioner.LayerSeconds;
import io.penstock.tensor.cpu.CpuFeatures;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.UUID;

/**
 * What {@link LayerProbe} measured of a model on this machine, kept in {@code ~/.cache/penstock/calibration}, or the folder of the property {@code penstock.cache}: one file a
 * CPU, model shape, element type, threads, ranks and micro-batch.
 */
final class Calibration {
    private static final ObjectMapper JSON = new ObjectMapper();
    /** Layers are measured at two micro-batch sizes where the plan may choose; between and beyond them their time is a line. */
    private static final int LARGER = 4;

    private static final double MESSAGE_SECONDS = 50e-6;

    private final Config config;
    private final ModelSpec model;
    private final Path folder;
    private final boolean measureAnew;
    private final boolean measureMissing;
    private final StoreCalibration stores;

    /**
     * @param measureAnew replace what is kept
     * @param measureMissing measure what is not kept
     */
    Calibration(Config config, ModelSpec model, boolean measureAnew, boolean measureMissing) {
        this.config = config;
        this.model = model;
        this.measureAnew = measureAnew;
        this.measureMissing = measureMissing;
        String home = System.getProperty("user.home", ".");
        this.folder = Path.of(System.getProperty("penstock.cache", home + "/.cache/penstock"))
                .resolve("calibration");
        this.stores = new StoreCalibration(config, cpuName(), folder, measureAnew, measureMissing);
    }

    /** The rates of {@code ranks} ranks that compute at once; empty if they are not kept and not to be measured. */
    Optional<MachineRates> rates(int ranks) {
        int given = config.training().microBatchSize();
        int small = given > 0 ? given : 1;
        int large = given > 0 ? given : Math.min(LARGER, config.training().globalBatchSize());
        Optional<LayerProbe.Measured> first = measured(ranks, small);
        Optional<LayerProbe.Measured> second = large == small ? first : measured(ranks, large);
        if (first.isEmpty() || second.isEmpty()) {
            return Optional.empty();
        }
        LayerProbe.Measured low = first.get();
        LayerProbe.Measured high = second.get();
        return Optional.of(new MachineRates(
                batch -> large == small ? low.layers() : line(low.layers(), small, high.layers(), large, batch),
                high.updateBytesPerSecond(),
                MESSAGE_SECONDS,
                high.copyBytesPerSecond() / 2,
                () -> stores.bytesPerSecond().orElse(high.copyBytesPerSecond() / 2),
                true,
                "layers timed on this machine"));
    }

    private static LayerSeconds line(LayerSeconds low, int small, LayerSeconds high, int large, int batch) {
        return layer -> {
            PhaseSeconds a = low.of(layer);
            PhaseSeconds b = high.of(layer);
            double share = (double) (batch - small) / (large - small);
            return new PhaseSeconds(
                    Math.max(0, a.forward() + share * (b.forward() - a.forward())),
                    Math.max(0, a.backwardInput() + share * (b.backwardInput() - a.backwardInput())),
                    Math.max(0, a.backwardWeight() + share * (b.backwardWeight() - a.backwardWeight())));
        };
    }

    private Optional<LayerProbe.Measured> measured(int ranks, int batch) {
        String key = key(ranks, batch);
        String name = UUID.nameUUIDFromBytes(key.getBytes(StandardCharsets.UTF_8)) + ".json";
        Path file = folder.resolve(name);
        Optional<LayerProbe.Measured> kept = measureAnew ? Optional.empty() : read(file, key);
        if (kept.isPresent() || !(measureAnew || measureMissing)) {
            return kept;
        }
        MicroBatchShape shape = new MicroBatchShape(batch, config.training().sequenceLength());
        LayerProbe.Measured fresh = LayerProbe.measure(
                ConfigModels.family(model.config().architecture()),
                model.config(),
                shape,
                RunSetup.compute(config),
                config.cluster().threadsPerRank(),
                ranks);
        write(file, key, fresh);
        return Optional.of(fresh);
    }

    /** Everything that the times depend on and that a plan can see. */
    private String key(int ranks, int batch) {
        CpuFeatures cpu = CpuFeatures.detect();
        ModelConfig shape = model.config();
        return String.join(
                " | ",
                cpuName(),
                cpu.products(),
                cpu.processors() + " processors",
                shape.architecture() + " C=" + shape.hiddenSize() + " N=" + shape.numAttentionHeads() + "/"
                        + shape.numKeyValueHeads() + " F="
                        + shape.intermediateSize() + " V=" + shape.vocabSize(),
                RunSetup.compute(config) + " B=" + batch + " T="
                        + config.training().sequenceLength(),
                ranks + " ranks of " + config.cluster().threadsPerRank() + " threads");
    }

    private static String cpuName() {
        Path cpuInfo = Path.of("/proc/cpuinfo");
        if (!Files.isReadable(cpuInfo)) {
            return System.getProperty("os.arch", "unknown");
        }
        try {
            return Files.readString(cpuInfo)
                    .lines()
                    .filter(line -> line.startsWith("model name"))
                    .map(line -> line.substring(line.indexOf(':') + 1).strip())
                    .findFirst()
                    .orElse(System.getProperty("os.arch", "unknown"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Nothing for a file that is not there, of another key, or damaged: it is measured again. */
    private static Optional<LayerProbe.Measured> read(Path file, String key) {
        if (!Files.isReadable(file)) {
            return Optional.empty();
        }
        try {
            JsonNode root = JSON.readTree(file.toFile());
            double update = root.path("update_bytes_per_second").asDouble();
            double copy = root.path("copy_bytes_per_second").asDouble();
            return root.path("key").asText().equals(key) && update > 0 && copy > 0
                    ? Optional.of(new LayerProbe.Measured(
                            phases(root.path("embedding")),
                            phases(root.path("block")),
                            phases(root.path("head")),
                            update,
                            copy))
                    : Optional.empty();
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    private static PhaseSeconds phases(JsonNode node) {
        return new PhaseSeconds(
                node.path("forward").asDouble(),
                node.path("backward_input").asDouble(),
                node.path("backward_weight").asDouble());
    }

    private void write(Path file, String key, LayerProbe.Measured measured) {
        ObjectNode root = JSON.createObjectNode().put("key", key);
        phases(root.putObject("embedding"), measured.embedding());
        phases(root.putObject("block"), measured.block());
        phases(root.putObject("head"), measured.head());
        root.put("update_bytes_per_second", measured.updateBytesPerSecond());
        root.put("copy_bytes_per_second", measured.copyBytesPerSecond());
        AtomicFile.write(file, root.toPrettyString());
    }

    private static void phases(ObjectNode node, PhaseSeconds seconds) {
        node.put("forward", seconds.forward())
                .put("backward_input", seconds.backwardInput())
                .put("backward_weight", seconds.backwardWeight());
    }
}
