package io.penstock.engine.config;

import io.penstock.engine.config.yaml.ConfigException;
import io.penstock.engine.config.yaml.Finding;
import io.penstock.engine.config.yaml.Key;
import io.penstock.engine.config.yaml.YamlWriter;
import io.penstock.partitioner.Sharding;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;

/** Everything that makes a run what it is, consistent by construction. {@link ConfigLoader} reads one from a file; Java may build one. */
public record Config(
        @Key("Name, place and randomness of the run.") RunConfig run,

        @Key("What is trained: keys of Hugging Face's `config.json`, a preset, or a pretrained folder.")
        ModelConfig model,

        @Key("What it is trained on.") DataConfig data,

        @Key("How it is trained.") TrainingConfig training,

        @Key("How the model lies on the ranks. pipeline x tensor x data ranks take part.")
        Parallelism parallelism,

        @Key("Where the ranks run and how they talk.") ClusterConfig cluster,

        @Key("What is saved, and when.") CheckpointConfig checkpoint,

        @Key("What is said, and when.") LoggingConfig logging) {
    /** @throws ConfigException with every contradiction between the sections */
    public Config {
        List<Finding> findings = Consistency.findings(model, data, training, parallelism, cluster);
        if (!findings.isEmpty()) {
            throw new ConfigException(
                    findings.stream().map(Finding::withoutPlace).toList());
        }
    }

    /** The layout of a run whose {@code parallelism} is given key by key. */
    public Layout layout() {
        if (parallelism instanceof Layout layout) {
            return layout;
        }
        throw new IllegalStateException("parallelism: auto has no layout until a plan has chosen one");
    }

    /** Whether a plan must choose the layout before the run can start. */
    public boolean isAuto() {
        return !(parallelism instanceof Layout);
    }

    /** Whether this version can do all that the config asks for. */
    public boolean canRun() {
        return Capabilities.findings(parallelism, cluster).isEmpty();
    }

    /** The same run in the layout that a plan has chosen. */
    public Config with(Layout chosen, int microBatchSize) {
        return new Config(
                run, model, data, training.withMicroBatchSize(microBatchSize), chosen, cluster, checkpoint, logging);
    }

    /** The same run with host memory for what it offloads. */
    public Config offloadingToHost() {
        return new Config(run, model, data, training, parallelism, cluster.offloadingToHost(), checkpoint, logging);
    }

    /** How replicas share a step. */
    public Sharding sharding() {
        return Consistency.sharding(training.gradientSum(), layout());
    }

    /** Micro-batches that each data-parallel replica puts through its pipeline in a step. */
    public int microBatches() {
        return (int) (training.globalBatchSize() / Math.multiplyFull(training.microBatchSize(), layout().data()));
    }

    /** Every key with its value, defaults included, as YAML that loads to an equal config. */
    public String toYaml() {
        return YamlWriter.write(this);
    }

    /** SHA-256 of {@link #toYaml()} and the schedule file in hexadecimal: ranks of one run compare it before they start. */
    public String digest() {
        try {
            MessageDigest hash = MessageDigest.getInstance("SHA-256");
            hash.update(toYaml().getBytes(StandardCharsets.UTF_8));
            if (parallelism instanceof Layout layout && layout.scheduleFile().isPresent()) {
                hash.update(Files.readAllBytes(layout.scheduleFile().get()));
            }
            return HexFormat.of().formatHex(hash.digest());
        } catch (IOException e) {
            throw new UncheckedIOException("reading the schedule file", e);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
