package io.penstock.engine.config;

import static org.junit.jupiter.api.Assertions.assertThrows;

import io.penstock.engine.config.yaml.ConfigException;
import io.penstock.engine.config.yaml.Problem;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** A small configuration that loads, and what tests do to it. */
final class ConfigText {
    static final String SMALL = """
            run: {name: small}
            model:
              architecture: gpt2
              num_hidden_layers: 4
              hidden_size: 48
              num_attention_heads: 4
              max_position_embeddings: 64
              vocab_size: 256
            data: {source: text.txt}
            training:
              steps: 10
              global_batch_size: 16
              micro_batch_size: 2
              sequence_length: 64
            parallelism: {pipeline: 2}
            """;

    private ConfigText() {}

    static void writeData(Path folder) throws IOException {
        Files.writeString(folder.resolve("text.txt"), "some text");
    }

    static Config load(Path folder, String yaml, String... overrides) {
        return ConfigLoader.parse(yaml, "c.yaml", folder, List.of(overrides));
    }

    /** The problems of a text that must not load, one a line. */
    static String problems(Path folder, String yaml, String... overrides) {
        ConfigException e = assertThrows(ConfigException.class, () -> load(folder, yaml, overrides));
        return String.join("\n", e.problems().stream().map(Problem::toString).toList());
    }

    /** SMALL with one line replaced. */
    static String with(String line, String replacement) {
        if (!SMALL.contains(line)) {
            throw new IllegalArgumentException(line);
        }
        return SMALL.replace(line, replacement);
    }
}
