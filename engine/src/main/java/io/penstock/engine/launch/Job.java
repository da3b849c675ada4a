package io.penstock.engine.launch;

import io.penstock.engine.config.Config;
import io.penstock.engine.run.RunDirectory;
import java.nio.file.Path;
import java.util.Optional;

/**
 * A run to be launched.
 *
 * @param resume the checkpoint to go on from
 */
public record Job(Config config, RunDirectory directory, Optional<Path> resume) {
    int ranks() {
        return config.layout().ranks();
    }

    String name() {
        return config.run().name();
    }
}
