package io.penstock.engine.config;

import java.nio.file.Path;
import java.util.Optional;

/**
 * Where the training text is.
 *
 * @param name of a data set that the build provides; a path has none
 * @param path absolute
 */
public record DataSource(Optional<String> name, Path path) {
    /** The sources of Aeron, which the build copies beside the engine. */
    public static final String AERON_SOURCES = "aeron-sources";

    private static final String AERON_SOURCES_JAR = "engine/target/corpus/aeron-all-sources.jar";

    public static DataSource of(Path path) {
        return new DataSource(Optional.empty(), path.toAbsolutePath().normalize());
    }

    /** The named data set, in the Penstock folder that the script gives as {@code penstock.home}; else the working folder. */
    public static DataSource aeronSources() {
        Path home = Path.of(System.getProperty("penstock.home", ""));
        Path jar = home.resolve(AERON_SOURCES_JAR).toAbsolutePath().normalize();
        return new DataSource(Optional.of(AERON_SOURCES), jar);
    }

    /** As the configuration writes it. */
    @Override
    public String toString() {
        return name.orElseGet(path::toString);
    }
}
