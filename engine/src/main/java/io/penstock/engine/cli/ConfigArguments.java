package io.penstock.engine.cli;

import io.penstock.engine.config.Config;
import io.penstock.engine.config.ConfigLoader;
import io.penstock.engine.config.PlanningConfig;
import io.penstock.engine.config.PlanningConfigLoader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code CONFIG --set a.b=c}, the same for every command that takes a configuration. */
final class ConfigArguments {
    @Parameters(paramLabel = "CONFIG", description = "YAML file of the run.")
    @SuppressWarnings("NullAway.Init")
    private Path file;

    @Option(
            names = "--set",
            paramLabel = "SECTION.KEY=VALUE",
            description = "Change a key for this run; may be repeated.")
    private List<String> overrides = new ArrayList<>();

    /** Whether the file describes a cluster to plan for instead of a run. */
    boolean isPlanning() {
        return PlanningConfigLoader.describes(file, overrides);
    }

    PlanningConfig loadPlanning() {
        return PlanningConfigLoader.load(file, overrides);
    }

    Config load() {
        return ConfigLoader.load(file, overrides);
    }
}
