package io.penstock.engine.config;

import io.penstock.engine.config.yaml.Binder;
import io.penstock.engine.config.yaml.ConfigException;
import io.penstock.engine.config.yaml.Finding;
import io.penstock.engine.config.yaml.Overrides;
import io.penstock.engine.config.yaml.Place;
import io.penstock.engine.config.yaml.Problems;
import io.penstock.engine.config.yaml.ScalarType;
import io.penstock.engine.config.yaml.ScalarTypes;
import io.penstock.engine.config.yaml.Value;
import io.penstock.engine.config.yaml.YamlReader;
import io.penstock.models.Presets;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** YAML to {@link Config}: either everything is right, or every problem is reported at once. */
public final class ConfigLoader {
    private ConfigLoader() {}

    /**
     * Reads a file. Relative paths in it lie beside it; those in overrides, and output folders, in the working folder.
     *
     * @param overrides {@code section.key=value}, later ones win
     * @throws ConfigException with all problems of the file, the overrides and the files they name
     */
    public static Config load(Path file, List<String> overrides) {
        Path folder = file.toAbsolutePath().getParent();
        return parse(read(file), file.toString(), folder == null ? Path.of("/") : folder, overrides);
    }

    /**
     * Reads YAML text.
     *
     * @param name of the text in problems
     * @param folder where relative paths lie
     */
    public static Config parse(String yaml, String name, Path folder, List<String> overrides) {
        Problems problems = new Problems();
        Value.Mapping root = YamlReader.readFile(yaml, name, problems);
        Binder binder = new Binder(scalarTypes(folder), problems);
        Value.Mapping given = Overrides.apply(root, overrides, problems);
        PlanningConfigLoader.preset(given).ifPresent(place -> {
            throw new ConfigException(
                    place,
                    "cluster.preset describes a cluster to plan for, which only 'penstock plan' does: to train, say under cluster how ranks start here"
                            + " (launch, device, threads_per_rank)");
        });
        Object[] sections = binder.bind(Config.class, given);
        RunConfig run = (RunConfig) sections[0];
        ModelConfig model = (ModelConfig) sections[1];
        DataConfig data = (DataConfig) sections[2];
        TrainingConfig training = (TrainingConfig) sections[3];
        Parallelism parallelism = (Parallelism) sections[4];
        ClusterConfig cluster = (ClusterConfig) sections[5];
        Stream<Finding> findings = Stream.of(
                        Consistency.findings(model, data, training, parallelism, cluster),
                        Capabilities.findings(parallelism, cluster),
                        InputFiles.findings(model, data))
                .flatMap(List::stream);
        findings.forEach(binder::report);
        try {
            GivenOrder.findings(training, parallelism).forEach(binder::report);
        } catch (ConfigException e) {
            e.problems().forEach(problem -> problems.add(problem.place(), problem.message()));
        }
        problems.throwIfAny();
        return new Config(
                run, model, data, training, parallelism, cluster, (CheckpointConfig) sections[6], (LoggingConfig)
                        sections[7]);
    }

    static ScalarTypes scalarTypes(Path folder) {
        ScalarTypes types = new ScalarTypes(folder);
        return types.with(
                        ByteSize.class,
                        new ScalarType<>(
                                "a size such as 4GiB", (scalar, key) -> ByteSize.parse(scalar.text()), new ByteSize(1)))
                .with(
                        Preset.class,
                        new ScalarType<>(
                                "one of " + String.join(", ", Presets.names()),
                                (scalar, key) -> Preset.parse(scalar.text()),
                                Preset.parse(Presets.names().get(0))))
                .with(
                        DataSource.class,
                        new ScalarType<>(
                                "a path or the name of a data set",
                                (scalar, key) -> scalar.text().equals(DataSource.AERON_SOURCES)
                                        ? DataSource.aeronSources()
                                        : DataSource.of(types.inputPath(scalar)),
                                DataSource.of(folder)));
    }

    static String read(Path file) {
        Place place = Place.of(file.toString());
        try {
            ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file));
            return StandardCharsets.UTF_8.newDecoder().decode(bytes).toString();
        } catch (CharacterCodingException e) {
            throw new ConfigException(place, "is not UTF-8 text: " + e.getMessage());
        } catch (NoSuchFileException e) {
            throw new ConfigException(place, "no such file");
        } catch (IOException e) {
            throw new ConfigException(place, "cannot be read: " + e.getMessage());
        }
    }
}
