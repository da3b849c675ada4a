package io.penstock.engine.config;

import io.penstock.engine.config.yaml.Binder;
import io.penstock.engine.config.yaml.ConfigException;
import io.penstock.engine.config.yaml.Overrides;
import io.penstock.engine.config.yaml.Place;
import io.penstock.engine.config.yaml.Problems;
import io.penstock.engine.config.yaml.Value;
import io.penstock.engine.config.yaml.YamlReader;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** YAML to {@link PlanningConfig}: either everything is right, or every problem is reported at once. */
public final class PlanningConfigLoader {
    private PlanningConfigLoader() {}

    /** Whether a file, with its overrides, describes a cluster to plan for: its {@code cluster} has a {@code preset}. Problems are left for whoever loads it. */
    public static boolean describes(Path file, List<String> overrides) {
        try {
            return preset(root(file, overrides, new Problems())).isPresent();
        } catch (ConfigException e) {
            return false;
        }
    }

    /** Where {@code cluster.preset} was written. */
    static Optional<Place> preset(Value.Mapping root) {
        Value.Field cluster = root.fields().get("cluster");
        return cluster != null && cluster.value() instanceof Value.Mapping keys
                ? Optional.ofNullable(keys.fields().get("preset")).map(Value.Field::keyPlace)
                : Optional.empty();
    }

    /** @throws ConfigException with all problems of the file and the overrides */
    public static PlanningConfig load(Path file, List<String> overrides) {
        Problems problems = new Problems();
        Binder binder = new Binder(ConfigLoader.scalarTypes(Path.of("").toAbsolutePath()), problems);
        Object[] sections = binder.bind(PlanningConfig.class, root(file, overrides, problems));
        PlannedModel model = (PlannedModel) sections[0];
        PlannedTraining training = (PlannedTraining) sections[1];
        PlannedLayout parallelism = (PlannedLayout) sections[2];
        PlannedCluster cluster = (PlannedCluster) sections[3];
        PlanningConfig.findings(model, training, parallelism.pinned(), cluster).forEach(binder::report);
        problems.throwIfAny();
        return new PlanningConfig(model, training, parallelism, cluster);
    }

    private static Value.Mapping root(Path file, List<String> overrides, Problems problems) {
        return Overrides.apply(
                YamlReader.readFile(ConfigLoader.read(file), file.toString(), problems), overrides, problems);
    }
}
