package io.penstock.engine.checkpoint;

import io.penstock.engine.optimizer.LossScale;
import io.penstock.engine.run.RunDirectory;
import io.penstock.engine.state.ParameterState;
import io.penstock.models.ModelConfig;
import io.penstock.models.parallel.Distribution;
import io.penstock.models.tokens.Tokenizer;
import io.penstock.models.weights.ConfigJson;
import io.penstock.models.weights.ModelFolder;
import io.penstock.models.weights.SafetensorsParts;
import io.penstock.models.weights.SafetensorsWriter.Declared;
import io.penstock.models.weights.ShardIndex;
import io.penstock.tensor.HostAccess;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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

    /**
     * Makes the files of one stage, in their full length: the parameters that it owns (a tied one only where the embedding is) and their moments. One of the stage's ranks
     * does it; then each of them calls {@link #writeShard}.
     */
    public void createShard(int step, int stage, int stages, List<ParameterState> owned) {
        Path folder = partial(step);
        try {
            Files.createDirectories(folder);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        List<Declared> weights = new ArrayList<>();
        List<Declared> moments = new ArrayList<>();
        for (ParameterState state : owned) {
            String name = state.spec().name();
            weights.add(new Declared(name, state.master().dtype(), state.spec().wholeShape()));
            for (String moment : List.of(ShardNames.FIRST_MOMENT, ShardNames.SECOND_MOMENT)) {
                moments.add(new Declared(
                        name + moment, state.firstMoment().dtype(), state.spec().wholeShape()));
            }
        }
        Map<String, String> format = Map.of("format", "pt");
        SafetensorsParts.create(folder.resolve(ShardNames.shard("model", stage, stages)), weights, format);
        SafetensorsParts.create(folder.resolve(ShardNames.shard(ShardNames.OPTIMIZER, stage, stages)), moments, format);
    }

    /** Fills in the elements of the stage's parameters that this rank updates; none of them if it is a replica that holds nothing of its own. {@code host}: of the states. */
    public void writeShard(int step, int stage, int stages, List<ParameterState> owned, HostAccess host) {
        if (owned.isEmpty()) {
            return;
        }
        Path folder = partial(step);
        try (SafetensorsParts weights =
                        SafetensorsParts.open(folder.resolve(ShardNames.shard("model", stage, stages)));
                SafetensorsParts moments =
                        SafetensorsParts.open(folder.resolve(ShardNames.shard(ShardNames.OPTIMIZER, stage, stages)))) {
            for (ParameterState state : owned) {
                String name = state.spec().name();
                long first = state.firstElement();
                Distribution part = state.spec().distribution();
                host.read(state.updated(state.master()), (at, piece) -> weights.write(name, part, first + at, piece));
                host.read(
                        state.updated(state.firstMoment()),
                        (at, piece) -> moments.write(name + ShardNames.FIRST_MOMENT, part, first + at, piece));
                host.read(
                        state.updated(state.secondMoment()),
                        (at, piece) -> moments.write(name + ShardNames.SECOND_MOMENT, part, first + at, piece));
            }
        }
    }

    /** What rank 0 adds when all shards are there: {@code shardOf} gives the rank of every parameter. Then the checkpoint exists. */
    public Path finish(
            int step, int ranks, Map<String, Integer> shardOf, long totalBytes, long tokens, LossScale lossScale) {
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
            CheckpointManifest.of(folder, step, seed, tokens, scaling(lossScale))
                    .write(folder);
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

    /** A run in another precision keeps what it needs of a scale that it was resumed with: how many steps were no updates. */
    private static Optional<LossScale.State> scaling(LossScale scale) {
        return scale.isDynamic() || scale.skippedSteps() > 0 ? Optional.of(scale.state()) : Optional.empty();
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
