package io.penstock.engine.config;

import io.penstock.engine.config.yaml.Key;
import io.penstock.engine.config.yaml.Ranges;
import java.nio.file.Path;
import java.util.Optional;

/** Section {@code cluster.offload_store}. */
public record OffloadStoreConfig(
        @Key(
                value =
                        "What it is: mapped `files`, a `chronicle-map` in a file, or `host` memory, which `memory_per_rank` does not count; `host` alone with `device: cuda`.",
                byDefault = "files")
        OffloadStoreKind kind,

        @Key(
                value =
                        "Folder on a fast disk with room for what all ranks of this machine offload, taken before the first step; the run's own folder unless another is given.",
                output = true)
        Optional<Path> directory) {
    public OffloadStoreConfig {
        Ranges.check(OffloadStoreConfig.class, kind, directory);
    }
}
