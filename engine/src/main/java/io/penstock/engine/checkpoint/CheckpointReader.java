package io.penstock.engine.checkpoint;

import io.penstock.engine.state.ParameterState;
import io.penstock.models.weights.ModelFolder;
import io.penstock.models.weights.SafetensorsFile;
import io.penstock.models.weights.StoredTensor;
import io.penstock.tensor.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
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

    /** Overwrites the masters of {@code states} from any folder in Hugging Face layout; moments stay. */
    public static void readWeights(Path folder, List<ParameterState> states) {
        try (ModelFolder weights = ModelFolder.open(folder)) {
            for (ParameterState state : states) {
                weights.read(state.spec(), state.master());
            }
        }
    }

    /** Overwrites masters and moments of {@code states}. */
    public static void readAll(Path folder, List<ParameterState> states) {
        readWeights(folder, states);
        List<SafetensorsFile> files = new ArrayList<>();
        try {
            Map<String, SafetensorsFile> fileOf = new HashMap<>();
            for (Path path : optimizerFiles(folder)) {
                SafetensorsFile file = SafetensorsFile.open(path);
                files.add(file);
                file.tensors().forEach(tensor -> fileOf.put(tensor.name(), file));
            }
            for (ParameterState state : states) {
                read(folder, fileOf, state.spec().name() + ShardNames.FIRST_MOMENT, state.firstMoment());
                read(folder, fileOf, state.spec().name() + ShardNames.SECOND_MOMENT, state.secondMoment());
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

    private static void read(Path folder, Map<String, SafetensorsFile> fileOf, String name, Tensor into) {
        SafetensorsFile file = fileOf.get(name);
        StoredTensor stored = file == null ? null : file.find(name).orElse(null);
        if (file == null || stored == null) {
            throw new CheckpointException(folder + ": no optimizer state '" + name
                    + "'; the checkpoint is of another model or has weights only");
        }
        file.read(stored, into);
    }
}
