package io.penstock.models.weights;

import io.penstock.models.ModelConfig;
import io.penstock.models.ParameterSpec;
import io.penstock.tensor.Tensor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The weights of a model in Hugging Face's layout, one file or shards, by the names of {@link ParameterSpec}. Published GPT-2 files leave out the prefix
 * {@code transformer.}: both forms are found. Tensors that no parameter asks for (a tied {@code lm_head.weight}, attention masks) are left alone.
 */
public final class ModelFolder implements AutoCloseable {
    public static final String WEIGHTS = "model.safetensors";
    public static final String INDEX = "model.safetensors.index.json";
    private static final String PREFIX = "transformer.";

    private record Located(SafetensorsFile file, StoredTensor tensor) {}

    private final Path folder;
    private final List<SafetensorsFile> files;
    private final Map<String, Located> tensors = new HashMap<>();

    private ModelFolder(Path folder, List<SafetensorsFile> files) {
        this.folder = folder;
        this.files = files;
        for (SafetensorsFile file : files) {
            file.tensors().forEach(tensor -> tensors.put(tensor.name(), new Located(file, tensor)));
        }
    }

    /** Throws {@link ModelFileException} if there are no weights, or they are damaged. */
    public static ModelFolder open(Path folder) {
        if (Files.exists(folder.resolve(WEIGHTS))) {
            return new ModelFolder(folder, List.of(SafetensorsFile.open(folder.resolve(WEIGHTS))));
        }
        if (Files.exists(folder.resolve(INDEX))) {
            return new ModelFolder(
                    folder, ShardIndex.read(folder.resolve(INDEX)).open());
        }
        throw new ModelFileException(folder, "holds neither " + WEIGHTS + " nor " + INDEX);
    }

    /** The folder's {@code config.json}. */
    public static ModelConfig config(Path folder) {
        return ConfigJson.read(folder.resolve(ConfigJson.FILE));
    }

    /** Overwrites {@code into}, host memory, with the parameter, or the part of it that the spec describes, cast to its dtype. {@link ModelFileException} if missing or of another shape. */
    public void read(ParameterSpec parameter, Tensor into) {
        read(parameter, 0, into);
    }

    /** As {@link #read(ParameterSpec, Tensor)}, of elements {@code first .. first + into.elements() - 1} of what the spec describes. */
    public void read(ParameterSpec parameter, long first, Tensor into) {
        Located located = locate(parameter);
        located.file.read(located.tensor, parameter.distribution(), first, into);
    }

    private Located locate(ParameterSpec parameter) {
        String name = parameter.name();
        Located located = tensors.get(name);
        if (located == null && name.startsWith(PREFIX)) {
            located = tensors.get(name.substring(PREFIX.length()));
        }
        if (located == null && parameter.tied()) {
            located = tensors.get("lm_head.weight");
        }
        if (located == null) {
            throw new ModelFileException(folder, "no tensor '" + name + "' among " + tensors.size());
        }
        if (!located.tensor.shape().equals(parameter.wholeShape())) {
            throw new ModelFileException(
                    located.file.path(),
                    located.tensor.offset(),
                    "'" + located.tensor.name() + "' has shape " + located.tensor.shape() + ", the model's is "
                            + parameter.wholeShape());
        }
        return located;
    }

    @Override
    public void close() {
        files.forEach(SafetensorsFile::close);
    }
}
