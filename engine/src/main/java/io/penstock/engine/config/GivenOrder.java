package io.penstock.engine.config;

import io.penstock.engine.config.yaml.ConfigException;
import io.penstock.engine.config.yaml.Finding;
import io.penstock.engine.config.yaml.Place;
import io.penstock.engine.config.yaml.Problem;
import io.penstock.partitioner.Plan.StageLayers;
import io.penstock.partitioner.schedule.Schedule;
import io.penstock.partitioner.schedule.ScheduleText;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** What a user may write by hand of a plan: {@code parallelism.schedule_file} and {@code parallelism.split}. */
public final class GivenOrder {
    private static final String FILE = "parallelism.schedule_file";
    private static final String SPLIT = "parallelism.split";

    private GivenOrder() {}

    /**
     * The verified schedule of a file.
     *
     * @throws ConfigException with every fault of the file and its line
     */
    public static Schedule read(Path file, boolean tied) {
        ScheduleText.Reading reading = ScheduleText.read(text(file), tied);
        return reading.schedule()
                .orElseThrow(() -> new ConfigException(reading.faults().stream()
                        .map(fault ->
                                new Problem(new Place(file.toString(), fault.line(), fault.column()), fault.message()))
                        .toList()));
    }

    private static String text(Path file) {
        Place place = Place.of(file.toString());
        try {
            return Files.readString(file);
        } catch (NoSuchFileException e) {
            throw new ConfigException(place, "no such file: " + FILE + " names it");
        } catch (CharacterCodingException e) {
            throw new ConfigException(place, "is not UTF-8 text: " + e.getMessage());
        } catch (IOException e) {
            throw new ConfigException(place, "cannot be read: " + e.getMessage());
        }
    }

    /** Consecutive layers, as many a stage as a split says. */
    public static List<StageLayers> stages(List<Integer> split) {
        List<StageLayers> stages = new ArrayList<>();
        int from = 0;
        for (int layers : split) {
            stages.add(new StageLayers(from, from + layers));
            from += layers;
        }
        return stages;
    }

    /**
     * Where a file's schedule and the run do not agree.
     *
     * @throws ConfigException if the file itself is wrong
     */
    static List<Finding> findings(TrainingConfig training, Parallelism parallelism) {
        return switch (parallelism) {
            case AutoLayout auto -> List.of();
            case PartlyAutoLayout partly ->
                partly.scheduleFile()
                        .map(file -> new Agreement(read(file, false), file)
                                .axis("pipeline", partly.pipeline())
                                .axis("chunks", partly.chunks())
                                .batch(training, partly.data().orElse(1))
                                .findings)
                        .orElse(List.of());
            case Layout layout ->
                layout.scheduleFile()
                        .map(file -> new Agreement(read(file, false), file)
                                .axis("pipeline", Optional.of(layout.pipeline()))
                                .axis("chunks", Optional.of(layout.chunks()))
                                .batch(training, layout.data())
                                .findings)
                        .orElse(List.of());
        };
    }

    private static final class Agreement {
        private final Schedule schedule;
        private final Path file;
        private final List<Finding> findings = new ArrayList<>();

        Agreement(Schedule schedule, Path file) {
            this.schedule = schedule;
            this.file = file;
        }

        Agreement axis(String key, Optional<Integer> given) {
            int inFile = key.equals("pipeline") ? schedule.ranks() : schedule.chunks();
            if (given.isPresent() && given.get() != inFile) {
                findings.add(new Finding(
                        List.of("parallelism." + key, FILE),
                        file + " is for " + key + ": " + inFile + ", found " + key + ": " + given.get()));
            }
            return this;
        }

        Agreement batch(TrainingConfig training, int data) {
            int global = training.globalBatchSize();
            int size = training.microBatchSize();
            long sequences = (long) schedule.microBatches() * data * Math.max(1, size);
            if (size > 0 ? sequences != global : global % sequences != 0) {
                findings.add(new Finding(
                        List.of(FILE, "training.global_batch_size", "training.micro_batch_size"),
                        file + " has " + schedule.microBatches() + " micro-batches a step, global_batch_size=" + global
                                + (size > 0
                                        ? " / (micro_batch_size=" + size + " * data=" + data + ") = "
                                                + (double) global / ((double) size * data)
                                        : " / " + sequences + " is not whole")));
            }
            return this;
        }
    }

    /** Where a split and the other keys do not agree. {@code layers}: of the model, embedding and head included, where they are known. */
    static List<Finding> splitFindings(Layout layout, Optional<Integer> layers) {
        List<Finding> findings = new ArrayList<>();
        List<Integer> split = layout.split();
        long expected = Math.multiplyFull(layout.pipeline(), layout.chunks());
        if (!split.isEmpty() && split.size() != expected) {
            findings.add(new Finding(
                    List.of(SPLIT, "parallelism.pipeline", "parallelism.chunks"),
                    "split has " + split.size() + " stages, pipeline=" + layout.pipeline() + " * chunks="
                            + layout.chunks() + " = " + expected));
        }
        splitOfModel(split, layers).ifPresent(findings::add);
        return findings;
    }

    static Optional<Finding> splitOfModel(List<Integer> split, Optional<Integer> layers) {
        long sum = split.stream().mapToLong(Integer::longValue).sum();
        return split.isEmpty() || layers.isEmpty() || sum == layers.get()
                ? Optional.empty()
                : Optional.of(new Finding(
                        List.of(SPLIT, "model.num_hidden_layers"),
                        "split has " + sum + " layers, the model " + layers.get() + " (embedding, " + (layers.get() - 2)
                                + " blocks, head): is it the split of another model?"));
    }
}
