package io.penstock.engine.config;

import io.penstock.engine.config.yaml.Finding;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Whether the files that a configuration names are there. What is in them is checked by who reads them. */
final class InputFiles {
    private InputFiles() {}

    static List<Finding> findings(ModelConfig model, DataConfig data) {
        List<Finding> findings = new ArrayList<>();
        source(data.source()).ifPresent(message -> findings.add(new Finding(List.of("data.source"), message)));
        if (model instanceof PretrainedModel pretrained) {
            folder(pretrained.pretrained())
                    .ifPresent(message -> findings.add(new Finding(List.of("model.pretrained"), message)));
        }
        return findings;
    }

    private static Optional<String> source(DataSource source) {
        Path path = source.path();
        if (!Files.exists(path)) {
            return Optional.of(
                    source.name().isPresent()
                            ? "the data set " + source + " is fetched by the build and is not at " + path
                                    + "; build with ./penstock or 'mvn package'"
                            : "no such file or folder: " + path);
        }
        if (!Files.isReadable(path)) {
            return Optional.of("not readable: " + path);
        }
        try {
            return Files.isRegularFile(path) && Files.size(path) == 0
                    ? Optional.of("the data file is empty: " + path)
                    : Optional.empty();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Optional<String> folder(Path folder) {
        Path config = folder.resolve("config.json");
        return Files.isReadable(config)
                ? Optional.empty()
                : Optional.of("no model in " + folder + ": " + config + " is not there or not readable");
    }
}
