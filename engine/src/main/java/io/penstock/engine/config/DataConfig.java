package io.penstock.engine.config;

import io.penstock.engine.config.yaml.Key;
import io.penstock.engine.config.yaml.Ranges;
import java.util.List;

/** Section {@code data}. */
public record DataConfig(
        @Key(
                "A text file, a folder, a jar or zip of texts, or a name: `aeron-sources` is the Java source of Aeron, fetched by the build.")
        DataSource source,

        @Key(
                value = "Of a folder or archive, take only files that end so, such as `[.java]`; all of them if empty.",
                byDefault = "[]",
                pattern = "\\..+")
        List<String> extensions,

        @Key(value = "How text becomes tokens.", byDefault = "bytes")
        TokenizerKind tokenizer,

        @Key(value = "Part of the data that is kept for validation.", byDefault = "0.05", min = 0, below = 1)
        double validationFraction) {
    public DataConfig {
        extensions = List.copyOf(extensions);
        Ranges.check(DataConfig.class, source, extensions, tokenizer, validationFraction);
    }
}
