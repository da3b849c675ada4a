package io.penstock.engine.checkpoint;

import io.penstock.engine.state.ParameterState;
import io.penstock.engine.state.ParameterStore;
import io.penstock.models.ModelConfig;
import io.penstock.models.weights.ConfigJson;
import io.penstock.models.weights.ModelFolder;
import io.penstock.models.weights.SafetensorsFile;
import io.penstock.models.weights.StoredTensor;
import io.penstock.tensor.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.RecordComponent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** Brings a checkpoint back into a rank's parameters, whatever layout wrote it. */
public final class CheckpointReader {
    private CheckpointReader() {}

    /** The newest whole checkpoint of a run. */
    public static Optional<Path> latest(Path checkpoints) {
        try {
            List<Path> all = CheckpointWriter.list(checkpoints);
            return all.isEmpty() ? Optional.empty() : Optional.of(all.getLast());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Overwrites the masters of {@code store} from any folder in Hugging Face layout; moments stay. */
    public static void readWeights(Path folder, ParameterStore store) {
        try (ModelFolder weights = ModelFolder.open(folder)) {
            for (ParameterState state : store.states()) {
                store.host()
                        .write(
                                state.updated(state.master()),
                                (first, piece) -> weights.read(state.spec(), state.firstElement() + first, piece));
            }
        }
    }

    /** Throws {@link CheckpointException} if training of {@code model} cannot go on from {@code folder}: another model, or weights without optimizer states. */
    public static void requireTrainable(Path folder, ModelConfig model) {
        ModelConfig stored = ConfigJson.read(folder.resolve(ConfigJson.FILE), model.architecture());
        List<String> differences = new ArrayList<>();
        for (RecordComponent key : ModelConfig.class.getRecordComponents()) {
            // How weights were drawn once does not matter to those that are read.
            if (!key.getName().equals("initializerRange")) {
                Object there = component(key, stored);
                Object here = component(key, model);
                if (!there.equals(here)) {
                    differences.add(words(key) + "=" + there + " (the config says " + here + ")");
                }
            }
        }
        if (!differences.isEmpty()) {
            throw new CheckpointException(folder + " is of another model: " + String.join(", ", differences));
        }
        if (optimizerFiles(folder).isEmpty()) {
            throw new CheckpointException(
                    folder + " has weights but no optimizer states: train from it with model.pretrained");
        }
    }

    /** As in {@code config.json}: {@code hidden_size}. */
    private static String words(RecordComponent key) {
        return key.getName().replaceAll("([A-Z])", "_$1").toLowerCase(Locale.ROOT);
    }

    private static Object component(RecordComponent key, ModelConfig model) {
        try {
            return key.getAccessor().invoke(model);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Overwrites masters and moments of {@code store}. */
    public static void readAll(Path folder, ParameterStore store) {
        readWeights(folder, store);
        List<SafetensorsFile> files = new ArrayList<>();
        try {
            Map<String, SafetensorsFile> fileOf = new HashMap<>();
            for (Path path : optimizerFiles(folder)) {
                SafetensorsFile file = SafetensorsFile.open(path);
                files.add(file);
                file.tensors().forEach(tensor -> fileOf.put(tensor.name(), file));
            }
            for (ParameterState state : store.states()) {
                read(folder, fileOf, store, state, ShardNames.FIRST_MOMENT, state.firstMoment());
                read(folder, fileOf, store, state, ShardNames.SECOND_MOMENT, state.secondMoment());
            }
        } finally {
            files.forEach(SafetensorsFile::close);
        }
    }

    private static List<Path> optimizerFiles(Path folder) {
        try (Stream<Path> paths = Files.list(folder)) {
            return paths.filter(path -> path.getFileName().toString().startsWith(ShardNames.OPTIMIZER))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new CheckpointException(folder + ": " + e.getMessage(), e);
        }
    }

    private static void read(
            Path folder,
            Map<String, SafetensorsFile> fileOf,
            ParameterStore store,
            ParameterState state,
            String moment,
            Tensor into) {
        String name = state.spec().name() + moment;
        SafetensorsFile file = fileOf.get(name);
        StoredTensor stored = file == null ? null : file.find(name).orElse(null);
        if (file == null || stored == null) {
            throw new CheckpointException(folder + ": no optimizer state '" + name
                    + "'; the checkpoint is of another model or has weights only");
        }
        if (!stored.shape().equals(state.spec().wholeShape())) {
            throw new CheckpointException(folder + ": '" + name + "' has shape " + stored.shape() + ", the model's is "
                    + state.spec().wholeShape());
        }
        store.host()
                .write(
                        state.updated(into),
                        (first, piece) ->
                                file.read(stored, state.spec().distribution(), state.firstElement() + first, piece));
    }
}
