package io.penstock.engine.config;

import io.penstock.engine.config.yaml.Key;
import io.penstock.engine.config.yaml.Ranges;
import java.nio.file.Path;

/** Section {@code run}. */
public record RunConfig(
        @Key(
                value = "Name of the run and of its folder: letters, digits, dot, dash and underscore.",
                pattern = "[A-Za-z0-9_][A-Za-z0-9_.-]*")
        String name,

        @Key(
                value =
                        "Folder of the runs; a relative one lies in the working folder. The run writes `<directory>/<name>/`.",
                byDefault = "runs",
                output = true)
        Path directory,

        @Key(value = "Seed of the initial weights and of the order of the data.", byDefault = "1")
        long seed) {
    public RunConfig {
        Ranges.check(RunConfig.class, name, directory, seed);
    }

    /** Where this run writes. */
    public Path folder() {
        return directory.resolve(name);
    }
}
