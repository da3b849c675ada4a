package io.penstock.engine.run;

import io.penstock.engine.config.yaml.ConfigException;
import io.penstock.engine.config.yaml.Place;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Where a run keeps its files.
 *
 * <pre>
 * runs/NAME/config.yaml        the fully resolved config
 *           plan.json          layers, schedule and memory of every rank
 *           metrics.jsonl      one object a step
 *           tensorboard/       the same for TensorBoard
 *           logs/rank-N.log    and rank-N.err, what its process printed
 *           timeline.html, trace.json   of the last step, where logging.timeline asks for them
 *           checkpoints/step-000100/
 * </pre>
 */
public record RunDirectory(Path root) {
    /** A directory of this name without a run in it: {@code NAME}, or the first of {@code NAME-2}, {@code NAME-3}, ... that is free; nothing is overwritten. */
    public static RunDirectory create(Path parent, String name) throws IOException {
        for (int i = 1; ; i++) {
            Path root = parent.resolve(i == 1 ? name : name + "-" + i);
            if (!Files.exists(root) || isEmpty(root)) {
                RunDirectory directory = new RunDirectory(root);
                directory.prepare();
                return directory;
            }
        }
    }

    /** The folder NAME itself, where the ranks of an outside launcher look for it without a word from this one; refused if a run is in it. */
    public static RunDirectory claim(Path parent, String name) throws IOException {
        RunDirectory directory = shared(parent, name);
        if (Files.exists(directory.config())) {
            throw new ConfigException(
                    Place.of(directory.root().toString()),
                    "holds a run already: choose another run.name, or go on from it with --resume latest");
        }
        directory.prepare();
        return directory;
    }

    /** The folder NAME as another rank claims it. */
    public static RunDirectory shared(Path parent, String name) {
        return new RunDirectory(parent.resolve(name));
    }

    /** The latest run of this name that exists. */
    public static Optional<RunDirectory> latest(Path parent, String name) {
        Optional<RunDirectory> last = Optional.empty();
        for (int i = 1; ; i++) {
            Path root = parent.resolve(i == 1 ? name : name + "-" + i);
            if (!Files.isDirectory(root)) {
                return last;
            }
            last = Optional.of(new RunDirectory(root));
        }
    }

    /** The run that a checkpoint lies in; none for a checkpoint that was copied elsewhere. */
    public static Optional<RunDirectory> ofCheckpoint(Path checkpoint) {
        Path checkpoints = checkpoint.getParent();
        Path root = checkpoints == null ? null : checkpoints.getParent();
        return checkpoints != null && root != null && checkpoints.endsWith("checkpoints")
                ? Optional.of(new RunDirectory(root))
                : Optional.empty();
    }

    private static boolean isEmpty(Path directory) throws IOException {
        try (Stream<Path> entries = Files.list(directory)) {
            return entries.findAny().isEmpty();
        }
    }

    /** Makes the directories that are not there yet. */
    public void prepare() throws IOException {
        Files.createDirectories(logs());
        Files.createDirectories(checkpoints());
    }

    public Path config() {
        return root.resolve("config.yaml");
    }

    public Path plan() {
        return root.resolve("plan.json");
    }

    public Path metrics() {
        return root.resolve("metrics.jsonl");
    }

    public Path tensorBoard() {
        return root.resolve("tensorboard");
    }

    public Path logs() {
        return root.resolve("logs");
    }

    public Path log(int rank) {
        return logs().resolve("rank-" + rank + ".log");
    }

    /** When the instructions of a rank's last step ran, see {@link TimesFile}. */
    public Path times(int rank) {
        return logs().resolve("rank-" + rank + ".times.json");
    }

    /** The last step as a trace of Chrome and Perfetto. */
    public Path trace() {
        return root.resolve("trace.json");
    }

    /** The last step as a page. */
    public Path timeline() {
        return root.resolve("timeline.html");
    }

    /** What a rank's process wrote to its standard streams. */
    public Path errors(int rank) {
        return logs().resolve("rank-" + rank + ".err");
    }

    public Path checkpoints() {
        return root.resolve("checkpoints");
    }

    /** {@code step}: optimizer steps done. */
    public Path checkpoint(int step) {
        return checkpoints().resolve("step-%06d".formatted(step));
    }
}
