package io.penstock.engine.planning;

import io.penstock.engine.config.ActivationCheckpointing;
import io.penstock.engine.config.AutoLayout;
import io.penstock.engine.config.Config;
import io.penstock.engine.config.GivenOrder;
import io.penstock.engine.config.Layout;
import io.penstock.engine.config.Offload;
import io.penstock.engine.config.PartlyAutoLayout;
import io.penstock.engine.config.ScheduleName;
import io.penstock.engine.config.yaml.ConfigException;
import io.penstock.partitioner.schedule.Schedule;
import io.penstock.partitioner.schedule.Schedules;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Every layout that divides and that this version runs, within the keys that are given and the cores that are there. A choice never changes bits: replicas, whose number and
 * sharing order the sums of gradients, are tried only as far as {@code training.gradient_sum} fixes that order.
 */
final class Candidates {
    private static final int LARGEST_MICRO_BATCH = 64;
    private static final int MOST_CHUNKS = 4;
    private static final int ZERO_WINDOW = 2;

    private final Config config;
    private final PartlyAutoLayout given;
    private final boolean tied;
    private final int layers;
    private final int mostRanks;
    private final List<Config> found = new ArrayList<>();

    private Candidates(Config config, boolean tied, int layers, int mostRanks) {
        this.config = config;
        this.given = switch (config.parallelism()) {
            case PartlyAutoLayout partly -> partly;
            case AutoLayout auto -> PartlyAutoLayout.NOTHING_GIVEN;
            case Layout layout -> throw new IllegalStateException("the layout is given");
        };
        this.tied = tied;
        this.layers = layers;
        this.mostRanks = mostRanks;
    }

    /**
     * The layouts of a run that leaves some of it to the plan.
     *
     * @param tied whether the model's head uses its embedding
     * @param layers of the model, embedding and head included
     */
    static List<Config> of(Config config, boolean tied, int layers, int mostRanks) {
        Candidates candidates = new Candidates(config, tied, layers, mostRanks);
        candidates.given.scheduleFile().ifPresentOrElse(candidates::ordered, candidates::named);
        return candidates.found;
    }

    /** A file leaves nothing to choose but replicas and the size of micro-batches. */
    private void ordered(Path file) {
        Schedule schedule = GivenOrder.read(file, tied);
        for (int data : replicas(schedule.ranks())) {
            int size = config.training().globalBatchSize() / (schedule.microBatches() * data);
            if (size > 0) {
                add(schedule.ranks(), data, schedule.chunks(), ScheduleName.ONE_F_ONE_B, size);
            }
        }
    }

    private void named() {
        int least = given.pipeline().orElse(1);
        for (int pipeline = least; pipeline <= given.pipeline().orElse(mostRanks); pipeline++) {
            for (int data : replicas(pipeline)) {
                for (ScheduleName schedule : ScheduleName.values()) {
                    if (given.schedule().isEmpty()
                            ? worthTrying(schedule, pipeline)
                            : given.schedule().get() == schedule) {
                        addChunks(pipeline, data, schedule);
                    }
                }
            }
        }
    }

    /** Powers of two, for gradients are summed as a balanced tree. */
    private List<Integer> replicas(int pipeline) {
        if (given.data().isPresent()) {
            return List.of(given.data().get());
        }
        int width = config.training().gradientSum().width();
        int most = Math.min(Math.max(1, width), Math.max(1, mostRanks / pipeline));
        return IntStream.iterate(1, data -> data <= most, data -> 2 * data)
                .boxed()
                .toList();
    }

    /** GPipe is never faster than 1F1B and holds more; one stage needs no pipeline schedule. */
    private static boolean worthTrying(ScheduleName schedule, int pipeline) {
        return schedule == ScheduleName.ONE_F_ONE_B || (pipeline > 1 && schedule != ScheduleName.GPIPE);
    }

    private void addChunks(int pipeline, int data, ScheduleName schedule) {
        int least = Schedules.defaultChunks(schedule.toString());
        int most = schedule == ScheduleName.INTERLEAVED ? MOST_CHUNKS : least;
        for (int chunks = given.chunks().orElse(least); chunks <= given.chunks().orElse(most); chunks++) {
            boolean splits = given.split().isEmpty() || given.split().size() == pipeline * chunks;
            if (splits && pipeline * chunks <= layers) {
                addMicroBatches(pipeline, data, schedule, chunks);
            }
        }
    }

    private void addMicroBatches(int pipeline, int data, ScheduleName schedule, int chunks) {
        int global = config.training().globalBatchSize();
        int fixed = config.training().microBatchSize();
        for (int batch = 1; batch <= Math.min(global, LARGEST_MICRO_BATCH); batch *= 2) {
            int size = fixed > 0 ? fixed : batch;
            int together = size * data;
            boolean whole = global % together == 0
                    && (schedule != ScheduleName.INTERLEAVED || global / together % pipeline == 0);
            if (whole) {
                add(pipeline, data, chunks, schedule, size);
            }
            if (fixed > 0) {
                return;
            }
        }
    }

    private void add(int pipeline, int data, int chunks, ScheduleName schedule, int microBatch) {
        for (int zero : zeroStages(data)) {
            add(pipeline, data, chunks, schedule, microBatch, zero);
        }
    }

    private List<Integer> zeroStages(int data) {
        if (given.zeroStage().isPresent()) {
            return List.of(given.zeroStage().get());
        }
        boolean leafIsFixed = config.training().gradientSum().leaf() > 0;
        return data == 1 ? List.of(0) : leafIsFixed ? List.of(0, 1, 2, 3) : List.of(0, 1);
    }

    private void add(int pipeline, int data, int chunks, ScheduleName schedule, int microBatch, int zero) {
        Layout layout = new Layout(
                pipeline,
                1,
                data,
                chunks,
                schedule,
                zero,
                ZERO_WINDOW,
                List.of(given.activationCheckpointing().orElse(ActivationCheckpointing.AUTO)),
                given.offload().isEmpty() ? List.of(Offload.NONE) : given.offload(),
                given.scheduleFile(),
                given.split());
        whole(layout, microBatch).filter(Config::canRun).ifPresent(found::add);
    }

    /** Empty if the sums of gradients cannot be cut so. */
    private Optional<Config> whole(Layout layout, int microBatch) {
        try {
            return Optional.of(config.with(layout, microBatch));
        } catch (ConfigException e) {
            return Optional.empty();
        }
    }
}
