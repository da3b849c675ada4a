package io.penstock.engine.checkpoint;

import io.penstock.engine.run.RunDirectory;
import io.penstock.engine.state.ParameterState;
import io.penstock.models.ModelConfig;
import io.penstock.models.tokens.Tokenizer;
import io.penstock.models.weights.ConfigJson;
import io.penstock.models.weights.ModelFolder;
import io.penstock.models.weights.SafetensorsWriter;
import io.penstock.models.weights.SafetensorsWriter.Declared;
import io.penstock.models.weights.ShardIndex;
import io.penstock.tensor.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Writes checkpoints of a run: every rank its shard, then rank 0 the rest; between the two all ranks meet. The folder is {@code step-N.partial} until everything in it is
 * on disk.
 */
public final class CheckpointWriter {
    private static final String PARTIAL = ".partial";

    private final RunDirectory directory;
    private final ModelConfig model;
    private final Tokenizer tokenizer;
    private final long seed;
    private final int keep;

    /** {@code keep}: how many of the newest checkpoints stay. */
    public CheckpointWriter(RunDirectory directory, ModelConfig model, Tokenizer tokenizer, long seed, int keep) {
        this.directory = directory;
        this.model = model;
        this.tokenizer = tokenizer;
        this.seed = seed;
        this.keep = keep;
    }

    private Path partial(int step) {
        Path done = directory.checkpoint(step);
        return done.resolveSibling(done.getFileName() + PARTIAL);
    }

    /** The shard of one rank: its own parameters (a tied one only where the embedding is) and their moments. */
    public void writeShard(int step, int rank, int ranks, List<ParameterState> owned) {
        Path folder = partial(step);
        try {
            Files.createDirectories(folder);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Map<String, Tensor> weights = new LinkedHashMap<>();
        Map<String, Tensor> moments = new LinkedHashMap<>();
        for (ParameterState state : owned) {
            weights.put(state.spec().name(), state.master());
            moments.put(state.spec().name() + ShardNames.FIRST_MOMENT, state.firstMoment());
            moments.put(state.spec().name() + ShardNames.SECOND_MOMENT, state.secondMoment());
        }
        write(folder.resolve(ShardNames.shard("model", rank, ranks)), weights);
        write(folder.resolve(ShardNames.shard(ShardNames.OPTIMIZER, rank, ranks)), moments);
    }

    private static void write(Path path, Map<String, Tensor> tensors) {
        List<Declared> declared = new ArrayList<>();
        tensors.forEach((name, tensor) -> declared.add(new Declared(name, tensor.dtype(), tensor.shape())));
        try (SafetensorsWriter writer = SafetensorsWriter.create(path, declared, Map.of("format", "pt"))) {
            tensors.forEach(writer::write);
            writer.commit();
        }
    }

    /** What rank 0 adds when all shards are there: {@code shardOf} gives the rank of every parameter. Then the checkpoint exists. */
    public Path finish(int step, int ranks, Map<String, Integer> shardOf, long totalBytes, long tokens) {
        Path folder = partial(step);
        Path done = directory.checkpoint(step);
        requireShards(folder, ranks);
        try {
            ConfigJson.write(folder.resolve(ConfigJson.FILE), model);
            tokenizer.save(folder);
            if (ranks > 1) {
                Map<String, String> fileOf = new LinkedHashMap<>();
                shardOf.forEach((name, rank) -> fileOf.put(name, ShardNames.shard("model", rank, ranks)));
                new ShardIndex(folder.resolve(ModelFolder.INDEX), totalBytes, fileOf).write();
            }
            CheckpointManifest.of(folder, step, seed, tokens).write(folder);
            if (Files.exists(done)) {
                delete(done);
            }
            Files.move(folder, done, StandardCopyOption.ATOMIC_MOVE);
            prune();
            return done;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void requireShards(Path folder, int ranks) {
        for (int rank = 0; rank < ranks; rank++) {
            Path shard = folder.resolve(ShardNames.shard(ShardNames.OPTIMIZER, rank, ranks));
            if (!Files.exists(shard)) {
                throw new CheckpointException(shard + ", the shard of rank " + rank
                        + ", is not there: run.directory must be one folder that all ranks share");
            }
        }
    }

    private void prune() throws IOException {
        List<Path> all = list(directory.checkpoints());
        for (Path old : all.subList(0, Math.max(0, all.size() - keep))) {
            delete(old);
        }
    }

    /** Whole checkpoints, oldest first. */
    static List<Path> list(Path checkpoints) throws IOException {
        if (!Files.isDirectory(checkpoints)) {
            return List.of();
        }
        try (Stream<Path> paths = Files.list(checkpoints)) {
            return paths.filter(path -> Files.isRegularFile(path.resolve(CheckpointManifest.FILE)))
                    .filter(path -> !path.getFileName().toString().endsWith(PARTIAL))
                    .sorted()
                    .toList();
        }
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> paths = Files.list(folder)) {
            for (Path path : paths.toList()) {
                Files.delete(path);
            }
        }
        Files.delete(folder);
    }
}
