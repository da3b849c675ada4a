package io.penstock.engine.launch;

import io.penstock.engine.config.Config;
import io.penstock.engine.run.RunDirectory;
import io.penstock.engine.training.StopSignal;
import io.penstock.models.ModelSpec;
import java.nio.file.Path;
import java.util.Optional;

/**
 * A run to be launched.
 *
 * @param resume the checkpoint to go on from
 * @param model another than the config's, for ranks in the JVM that made it
 * @param stop heard by the ranks of this JVM
 */
public record Job(
        Config config, RunDirectory directory, Optional<Path> resume, Optional<ModelSpec> model, StopSignal stop) {
    /** Of the config's own model, to its last step. */
    public Job(Config config, RunDirectory directory, Optional<Path> resume) {
        this(config, directory, resume, Optional.empty(), new StopSignal());
    }

    int ranks() {
        return config.layout().ranks();
    }

    String name() {
        return config.run().name();
    }
}
