package io.penstock.engine.planning;

import io.penstock.engine.config.ActivationCheckpointing;
import io.penstock.engine.config.AutoLayout;
import io.penstock.engine.config.Config;
import io.penstock.engine.config.GivenOrder;
import io.penstock.engine.config.Layout;
import io.penstock.engine.config.Offload;
import io.penstock.engine.config.PartlyAutoLayout;
import io.penstock.engine.config.ScheduleName;
import io.penstock.engine.training.DoesNotFitException;
import io.penstock.engine.training.MemoryLimit;
import io.penstock.engine.training.RunSetup;
import io.penstock.models.MicroBatchShape;
import io.penstock.models.ModelSpec;
import io.penstock.models.ParameterSpec;
import io.penstock.partitioner.Plan;
import io.penstock.partitioner.PlanException;
import io.penstock.partitioner.PlanTimes;
import io.penstock.partitioner.memory.MemoryPlanner;
import io.penstock.partitioner.render.Bytes;
import io.penstock.partitioner.schedule.Schedule;
import io.penstock.partitioner.schedule.Schedules;
import io.penstock.partitioner.simulate.Link;
import io.penstock.partitioner.simulate.TimeSplit;
import io.penstock.partitioner.simulate.Timeline;
import io.penstock.tensor.Backend;
import io.penstock.tensor.cpu.CpuBackend;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntFunction;

/** Plans of what this engine runs on this machine: exact memory, simulated time, and the choice that {@code parallelism: auto} asks for. */
public final class MachinePlanner {
    private static final int BEST = 5;
    private static final int LARGEST_MICRO_BATCH = 64;
    private static final int MOST_CHUNKS = 4;

    private final Config config;
    private final ModelSpec model;
    private final IntFunction<MachineRates> rates;
    private final long workspaceBytes;

    /** When the model's layers are timed, which takes seconds. */
    public enum Measure {
        /** Take what is kept of an earlier time, else guess. */
        NEVER,
        /** If nothing is kept. */
        ONCE,
        ANEW
    }

    /** {@code rates} by the ranks that compute at once; {@code workspaceBytes}: what one rank's backend holds for its kernels. */
    public MachinePlanner(Config config, ModelSpec model, IntFunction<MachineRates> rates, long workspaceBytes) {
        this.config = config;
        this.model = model;
        this.rates = rates;
        this.workspaceBytes = workspaceBytes;
    }

    /** {@link #best()} of a run with the rates that are known of this machine. */
    public static List<MachinePlan> best(Config config, Measure measure) {
        ModelSpec model = RunSetup.model(config);
        int threads = config.cluster().threadsPerRank();
        Calibration calibration = new Calibration(config, model, measure == Measure.ANEW, measure != Measure.NEVER);
        Map<Integer, MachineRates> known = new HashMap<>();
        IntFunction<MachineRates> rates = ranks -> known.computeIfAbsent(
                ranks,
                r -> calibration
                        .rates(r)
                        .orElseGet(() -> MachineRates.guessed(
                                RunSetup.compute(config), config.training().sequenceLength(), threads)));
        try (Backend backend = new CpuBackend(threads)) {
            return new MachinePlanner(config, model, rates, backend.workspaceBytes()).best();
        }
    }

    /** The best layouts, fastest first: the one of the config if it gives it. Throws {@link DoesNotFitException} if none fits. */
    public List<MachinePlan> best() {
        List<MachinePlan> fitting = new ArrayList<>();
        List<MachinePlan> all = new ArrayList<>();
        for (Config candidate : config.isAuto() ? candidates() : List.of(config)) {
            MachinePlan plan = plan(candidate);
            all.add(plan);
            if (plan.fits()) {
                fitting.add(plan);
            }
        }
        if (fitting.isEmpty()) {
            throw misfit(all.stream()
                    .min(Comparator.comparingLong(MachinePlan::mostBytes))
                    .orElseThrow(() -> nothingDivides()));
        }
        fitting.sort(Comparator.comparingDouble(MachinePlan::seconds));
        return List.copyOf(fitting.subList(0, Math.min(BEST, fitting.size())));
    }

    private PlanException nothingDivides() {
        return new PlanException("no layout of at most " + mostRanks() + " ranks of "
                + config.cluster().threadsPerRank() + " threads divides global_batch_size="
                + config.training().globalBatchSize() + " and " + model.layers().size()
                + " layers within the keys that are given: free one of them");
    }

    private MachinePlan plan(Config open) {
        Plan plan = RunSetup.plan(open, model, workspaceBytes);
        Config candidate = RunSetup.decided(open, model, plan);
        MachineRates known = rates.apply(busyRanks(candidate));
        Link link = new Link(known.messageSeconds(), messageBytes(plan) / known.messageBytesPerSecond(), false);
        PlanTimes times = times(plan, known, link);
        Timeline step = times.simulate();
        Timeline free = times(plan, known, Link.FREE).simulate();
        double end = times.reduceTied();
        double update = 0;
        for (int rank = 0; rank < plan.schedule().ranks(); rank++) {
            update = Math.max(update, times.optimizerStep(rank));
        }
        return new MachinePlan(
                candidate,
                model,
                plan,
                step,
                TimeSplit.of(step, free, end + update),
                MemoryLimit.of(candidate),
                known.basis());
    }

    /** Ranks beyond the cores of this machine would be elsewhere. */
    private int busyRanks(Config candidate) {
        return Math.min(candidate.layout().ranks(), mostRanks());
    }

    private PlanTimes times(Plan plan, MachineRates rates, Link link) {
        return new PlanTimes(
                plan,
                model,
                rates.layers().apply(plan.microBatch().batch()),
                rates.updateBytesPerSecond(),
                link,
                tiedSeconds(plan, rates));
    }

    private double messageBytes(Plan plan) {
        return (double) plan.microBatch().rows()
                * model.config().hiddenSize()
                * plan.compute().bytes();
    }

    /** Reads two, writes one; between ranks the bytes travel too. */
    private double tiedSeconds(Plan plan, MachineRates rates) {
        double bytes = 0;
        for (ParameterSpec parameter : MemoryPlanner.distinctParameters(model.layers())) {
            bytes += parameter.tied()
                    ? (double) parameter.shape().elements()
                            * plan.compute().accumulator().bytes()
                    : 0;
        }
        List<List<Integer>> stageOf = plan.schedule().stageOf();
        boolean together = stageOf.stream()
                .anyMatch(stages ->
                        stages.contains(0) && stages.contains(plan.stages().size() - 1));
        return 3 * bytes / rates.updateBytesPerSecond() + (together ? 0 : bytes / rates.messageBytesPerSecond());
    }

    private int mostRanks() {
        return Math.max(
                1, Runtime.getRuntime().availableProcessors() / config.cluster().threadsPerRank());
    }

    /** Everything that divides, within the keys that are given and the cores that are there. */
    List<Config> candidates() {
        PartlyAutoLayout given = switch (config.parallelism()) {
            case PartlyAutoLayout partly -> partly;
            case AutoLayout auto -> PartlyAutoLayout.NOTHING_GIVEN;
            case Layout layout -> throw new IllegalStateException("the layout is given");
        };
        if (given.scheduleFile().isPresent()) {
            return List.of(ordered(given, given.scheduleFile().get()));
        }
        List<Config> candidates = new ArrayList<>();
        int least = given.pipeline().orElse(1);
        for (int pipeline = least; pipeline <= given.pipeline().orElse(mostRanks()); pipeline++) {
            for (ScheduleName schedule : ScheduleName.values()) {
                if (given.schedule().isEmpty()
                        ? worthTrying(schedule, pipeline)
                        : given.schedule().get() == schedule) {
                    addChunks(candidates, given, pipeline, schedule);
                }
            }
        }
        return candidates;
    }

    /** A file leaves nothing to choose but the size of its micro-batches. */
    private Config ordered(PartlyAutoLayout given, Path file) {
        Schedule schedule = GivenOrder.read(file, model.config().tieWordEmbeddings());
        return config.with(
                new Layout(
                        schedule.ranks(),
                        1,
                        1,
                        schedule.chunks(),
                        ScheduleName.ONE_F_ONE_B,
                        0,
                        2,
                        List.of(ActivationCheckpointing.AUTO),
                        Offload.NONE,
                        Optional.of(file),
                        given.split()),
                config.training().globalBatchSize() / schedule.microBatches());
    }

    /** GPipe is never faster than 1F1B and holds more; one stage needs no pipeline schedule. */
    private static boolean worthTrying(ScheduleName schedule, int pipeline) {
        return schedule == ScheduleName.ONE_F_ONE_B || (pipeline > 1 && schedule != ScheduleName.GPIPE);
    }

    private void addChunks(List<Config> candidates, PartlyAutoLayout given, int pipeline, ScheduleName schedule) {
        int least = Schedules.defaultChunks(schedule.toString());
        int most = schedule == ScheduleName.INTERLEAVED ? MOST_CHUNKS : least;
        for (int chunks = given.chunks().orElse(least); chunks <= given.chunks().orElse(most); chunks++) {
            boolean splits = given.split().isEmpty() || given.split().size() == pipeline * chunks;
            if (splits && pipeline * chunks <= model.layers().size()) {
                addMicroBatches(candidates, given.split(), pipeline, schedule, chunks);
            }
        }
    }

    private void addMicroBatches(
            List<Config> candidates, List<Integer> split, int pipeline, ScheduleName schedule, int chunks) {
        int global = config.training().globalBatchSize();
        int given = config.training().microBatchSize();
        for (int batch = 1; batch <= Math.min(global, LARGEST_MICRO_BATCH); batch *= 2) {
            int size = given > 0 ? given : batch;
            boolean whole =
                    global % size == 0 && (schedule != ScheduleName.INTERLEAVED || global / size % pipeline == 0);
            if (whole) {
                candidates.add(config.with(
                        new Layout(
                                pipeline,
                                1,
                                1,
                                chunks,
                                schedule,
                                0,
                                2,
                                List.of(ActivationCheckpointing.AUTO),
                                Offload.NONE,
                                Optional.empty(),
                                split),
                        size));
            }
            if (given > 0) {
                return;
            }
        }
    }

    /** The numbers, and the smallest change of one thing that makes it fit, for each thing that can. */
    private DoesNotFitException misfit(MachinePlan plan) {
        int rank = 0;
        while (plan.plan().memory().get(rank).totalBytes() < plan.mostBytes()) {
            rank++;
        }
        String limit = config.cluster().memoryPerRank().isPresent()
                ? "cluster.memory_per_rank is "
                : "its share of this machine's memory is ";
        List<String> changes = new ArrayList<>();
        changes.add(Bytes.text((double) plan.mostBytes()) + " a rank");
        if (plan.config().layout().scheduleFile().isEmpty()) {
            recomputation(plan).ifPresent(changes::add);
            smallerMicroBatch(plan).ifPresent(changes::add);
            if (plan.config().layout().split().isEmpty()) {
                moreStages(plan).ifPresent(changes::add);
            }
        }
        shorterSequence(plan).ifPresent(changes::add);
        return new DoesNotFitException("rank " + rank + " needs " + plan.mostBytes() + " bytes ("
                + Bytes.text((double) plan.mostBytes()) + ") with " + plan.layout() + ", " + limit + plan.limitBytes()
                + " (" + Bytes.text((double) plan.limitBytes()) + "); it would fit with one of: "
                + String.join("; ", changes));
    }

    private Optional<String> recomputation(MachinePlan plan) {
        Layout recomputing = plan.config().layout().withActivationCheckpointing(List.of(ActivationCheckpointing.AUTO));
        boolean helps =
                fits(plan.config().with(recomputing, plan.plan().microBatch().batch()));
        return helps ? Optional.of("activation_checkpointing auto") : Optional.empty();
    }

    private Optional<String> smallerMicroBatch(MachinePlan plan) {
        for (int size = plan.plan().microBatch().batch() / 2; size >= 1; size /= 2) {
            if (plan.config().training().globalBatchSize() % size == 0
                    && fits(plan.config().with(plan.config().layout(), size))) {
                return Optional.of("micro_batch_size " + size);
            }
        }
        return Optional.empty();
    }

    private Optional<String> moreStages(MachinePlan plan) {
        Layout old = plan.config().layout();
        for (int pipeline = old.pipeline() + 1;
                pipeline * old.chunks() <= model.layers().size();
                pipeline++) {
            Layout more = new Layout(
                    pipeline,
                    old.tensor(),
                    old.data(),
                    old.chunks(),
                    old.schedule(),
                    old.zeroStage(),
                    old.zeroWindow(),
                    old.activationCheckpointing(),
                    old.offload(),
                    Optional.empty(),
                    List.of());
            boolean memoryIsGiven = config.cluster().memoryPerRank().isPresent();
            boolean divides = old.schedule() != ScheduleName.INTERLEAVED
                    || plan.plan().schedule().microBatches() % pipeline == 0;
            if (memoryIsGiven
                    && divides
                    && fits(plan.config().with(more, plan.plan().microBatch().batch()))) {
                return Optional.of("pipeline " + pipeline);
            }
        }
        return Optional.empty();
    }

    private boolean fits(Config candidate) {
        return RunSetup.plan(candidate, model, workspaceBytes).memory().stream()
                .allMatch(memory -> memory.totalBytes() <= MemoryLimit.of(candidate));
    }

    private Optional<String> shorterSequence(MachinePlan plan) {
        for (int sequence = plan.plan().microBatch().sequence() / 2; sequence >= 1; sequence /= 2) {
            MicroBatchShape shape = new MicroBatchShape(plan.plan().microBatch().batch(), sequence);
            boolean fits = new MemoryPlanner(
                            model, shape, plan.plan().compute(), plan.plan().techniques(), workspaceBytes)
                    .plan(plan.plan().schedule(), plan.plan().stages()).stream()
                            .allMatch(memory -> memory.totalBytes() <= plan.limitBytes());
            if (fits) {
                return Optional.of("sequence_length " + sequence);
            }
        }
        return Optional.empty();
    }
}
