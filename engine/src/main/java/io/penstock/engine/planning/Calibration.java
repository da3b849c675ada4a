package io.penstock.engine.planning;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.penstock.engine.config.Config;
import io.penstock.engine.config.ConfigModels;
import io.penstock.engine.training.RunSetup;
import io.penstock.models.MicroBatchShape;
import io.penstock.models.ModelConfig;
import io.penstock.models.ModelSpec;
import io.penstock.partitioner.CostModel.PhaseSeconds;
import io.penstock.partitioner.LayerSeconds;
import io.penstock.tensor.OutOfDeviceMemoryException;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What {@link LayerProbe} measured of a model on this machine, kept a machine, model shape, element type, threads, ranks and micro-batch; and what messages and stores sustain. */
final class Calibration {
    private static final Logger LOG = LoggerFactory.getLogger(Calibration.class);
    /** Layers are measured at two micro-batch sizes where the plan may choose; between and beyond them their time is a line. */
    private static final int LARGER = 4;

    private static final String EMBEDDING = "embedding";
    private static final String BLOCK = "block";
    private static final String HEAD = "head";
    private static final String UPDATE = "update_bytes_per_second";

    private final Config config;
    private final ModelSpec model;
    private final String machine;
    private final Measurements measurements;
    private final StoreCalibration stores;
    private final LinkCalibration links;

    /** {@code machine}: what {@link MachineKey} says of it. */
    Calibration(Config config, ModelSpec model, String machine, Measurements measurements) {
        this.config = config;
        this.model = model;
        this.machine = machine;
        this.measurements = measurements;
        this.stores = new StoreCalibration(config, machine, measurements);
        this.links = new LinkCalibration(config.cluster(), machine, measurements);
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
        return links.rates(ranks)
                .map(link -> new MachineRates(
                        batch -> large == small ? low.layers() : line(low.layers(), small, high.layers(), large, batch),
                        high.updateBytesPerSecond(),
                        link.seconds(),
                        link.bytesPerSecond(),
                        () -> stores.bytesPerSecond().orElse(link.bytesPerSecond()),
                        true,
                        "layers timed on " + MachineKey.name(config.cluster().device())));
    }

    private static LayerSeconds line(LayerSeconds low, int small, LayerSeconds high, int large, int batch) {
        return layer -> {
            PhaseSeconds a = low.of(layer);
            PhaseSeconds b = high.of(layer);
            double share = (double) (batch - small) / (large - small);
            return new PhaseSeconds(
                    Math.max(0, a.forward() + share * (b.forward() - a.forward())),
                    Math.max(0, a.backwardInput() + share * (b.backwardInput() - a.backwardInput())),
                    Math.max(0, a.backwardWeight() + share * (b.backwardWeight() - a.backwardWeight())),
                    Math.max(0, a.backward() + share * (b.backward() - a.backward())));
        };
    }

    private Optional<LayerProbe.Measured> measured(int ranks, int batch) {
        MicroBatchShape shape = new MicroBatchShape(batch, config.training().sequenceLength());
        return measurements.of(key(ranks, batch), Calibration::read, () -> {
            try {
                return Optional.of(numbers(LayerProbe.measure(
                        ConfigModels.family(model.config().architecture()),
                        model.config(),
                        shape,
                        RunSetup.compute(config),
                        config.cluster(),
                        ranks)));
            } catch (OutOfDeviceMemoryException e) {
                LOG.warn(
                        "three blocks with embedding and head do not fit at once: times are guessed ({})",
                        e.getMessage());
                return Optional.empty();
            }
        });
    }

    /** Everything that the times depend on and that a plan can see. */
    private String key(int ranks, int batch) {
        ModelConfig shape = model.config();
        String together = switch (config.cluster().device()) {
            case CPU -> ranks + " ranks of " + config.cluster().threadsPerRank() + " threads";
            case CUDA -> ranks + " ranks";
        };
        // What is kept of an earlier version, with other numbers, is not found.
        String what = "backward in one piece and in halves";
        return String.join(
                " | ",
                machine,
                shape.architecture() + " C=" + shape.hiddenSize() + " N=" + shape.numAttentionHeads() + "/"
                        + shape.numKeyValueHeads() + " F="
                        + shape.intermediateSize() + " V=" + shape.vocabSize(),
                RunSetup.compute(config) + " B=" + batch + " T="
                        + config.training().sequenceLength(),
                together,
                what);
    }

    private static LayerProbe.Measured read(JsonNode numbers) {
        return new LayerProbe.Measured(
                phases(numbers.path(EMBEDDING)),
                phases(numbers.path(BLOCK)),
                phases(numbers.path(HEAD)),
                Measurements.rate(numbers, UPDATE));
    }

    private static PhaseSeconds phases(JsonNode node) {
        return new PhaseSeconds(
                Measurements.number(node, "forward"),
                Measurements.number(node, "backward_input"),
                Measurements.number(node, "backward_weight"),
                Measurements.number(node, "backward"));
    }

    private static ObjectNode numbers(LayerProbe.Measured measured) {
        ObjectNode numbers = Measurements.numbers();
        phases(numbers.putObject(EMBEDDING), measured.embedding());
        phases(numbers.putObject(BLOCK), measured.block());
        phases(numbers.putObject(HEAD), measured.head());
        return numbers.put(UPDATE, measured.updateBytesPerSecond());
    }

    private static void phases(ObjectNode node, PhaseSeconds seconds) {
        node.put("forward", seconds.forward())
                .put("backward_input", seconds.backwardInput())
                .put("backward_weight", seconds.backwardWeight())
                .put("backward", seconds.backward());
    }
}
