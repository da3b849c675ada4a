package io.penstock.engine.config;

import io.penstock.models.ModelFamily;
import io.penstock.models.ModelSpec;
import io.penstock.models.gpt2.Gpt2Family;
import io.penstock.models.llama.LlamaFamily;
import io.penstock.models.weights.ModelFolder;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;

/** The model that a config names. */
public final class ConfigModels {
    private ConfigModels() {}

    /** The layers of the model; reads {@code config.json} of a pretrained one. */
    public static ModelSpec model(ModelConfig config) {
        io.penstock.models.ModelConfig shape = config.described()
                .map(DescribedModel::toModel)
                .orElseGet(() -> ModelFolder.config(pretrained(config).orElseThrow()));
        return family(shape.architecture()).spec(shape);
    }

    /** Where a pretrained model's weights are. */
    public static Optional<Path> pretrained(ModelConfig config) {
        return config instanceof PretrainedModel model ? Optional.of(model.pretrained()) : Optional.empty();
    }

    /** The architectures that a config can name. */
    public static Set<String> architectures() {
        return Set.of(Gpt2Family.ARCHITECTURE, LlamaFamily.ARCHITECTURE);
    }

    /** The family of an architecture that a checkpoint or a config names. */
    public static ModelFamily family(String architecture) {
        return switch (architecture) {
            case Gpt2Family.ARCHITECTURE -> new Gpt2Family();
            case LlamaFamily.ARCHITECTURE -> new LlamaFamily();
            default ->
                throw new IllegalArgumentException("architecture '" + architecture + "', known: "
                        + Gpt2Family.ARCHITECTURE + ", " + LlamaFamily.ARCHITECTURE);
        };
    }
}
