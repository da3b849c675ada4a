package io.penstock.engine.planning;

import io.penstock.engine.config.AutoLayout;
import io.penstock.engine.config.Config;
import io.penstock.engine.config.DeviceKind;
import io.penstock.engine.config.Layout;
import io.penstock.engine.config.Offload;
import io.penstock.engine.config.PartlyAutoLayout;
import io.penstock.engine.device.Devices;
import io.penstock.engine.training.DoesNotFitException;
import io.penstock.engine.training.MemoryLimit;
import io.penstock.engine.training.RunSetup;
import io.penstock.models.LayerSpec;
import io.penstock.models.MicroBatchShape;
import io.penstock.models.ModelSpec;
import io.penstock.models.ParameterSpec;
import io.penstock.partitioner.CostModel;
import io.penstock.partitioner.CostModel.PhaseSeconds;
import io.penstock.partitioner.LayerSeconds;
import io.penstock.partitioner.Partition;
import io.penstock.partitioner.Plan;
import io.penstock.partitioner.PlanException;
import io.penstock.partitioner.PlanTimes;
import io.penstock.partitioner.TensorTraffic;
import io.penstock.partitioner.memory.MemoryPlanner;
import io.penstock.partitioner.simulate.Link;
import io.penstock.partitioner.simulate.TimeSplit;
import io.penstock.partitioner.simulate.Timeline;
import io.penstock.tensor.DType;
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

    /** What is offloaded where a layout does not fit otherwise: the first that is enough. Parameters need {@code zero_stage: 3}, and are for the user to choose. */
    private static final List<List<Offload>> OFFLOAD = List.of(
            List.of(Offload.ACTIVATIONS), List.of(Offload.OPTIMIZER), List.of(Offload.OPTIMIZER, Offload.ACTIVATIONS));

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

    /**
     * {@link #best()} of a run with the rates that are known of this machine.
     *
     * @throws io.penstock.tensor.cuda.CudaUnavailableException if a GPU is to be measured and there is none
     */
    public static List<MachinePlan> best(Config config, Measure measure) {
        ModelSpec model = RunSetup.model(config);
        DeviceKind device = config.cluster().device();
        if (measure != Measure.NEVER) {
            Devices.require(device);
        }
        Optional<Calibration> calibration = Devices.has(device)
                ? Optional.of(new Calibration(config, model, MachineKey.of(device), Measurements.ofThisUser(measure)))
                : Optional.empty();
        Map<Integer, MachineRates> known = new HashMap<>();
        IntFunction<MachineRates> rates = ranks -> known.computeIfAbsent(
                ranks, r -> calibration.flatMap(kept -> kept.rates(r)).orElseGet(() -> guessed(config)));
        return new MachinePlanner(config, model, rates, Devices.workspaceBytes(config.cluster())).best();
    }

    private static MachineRates guessed(Config config) {
        DType compute = RunSetup.compute(config);
        int sequence = config.training().sequenceLength();
        return switch (config.cluster().device()) {
            case CPU -> MachineRates.guessed(compute, sequence, config.cluster().threadsPerRank());
            case CUDA -> MachineRates.guessedGpu(compute, sequence);
        };
    }

    /** The best layouts, fastest first: the one of the config if it gives it. Throws {@link DoesNotFitException} if none fits. */
    public List<MachinePlan> best() {
        List<MachinePlan> fitting = new ArrayList<>();
        List<MachinePlan> all = new ArrayList<>();
        List<Config> open = config.isAuto() ? candidates() : List.of(config);
        for (Config candidate : open) {
            MachinePlan plan = balancedOrNot(candidate);
            all.add(plan);
            if (plan.fits()) {
                fitting.add(plan);
            }
        }
        if (fitting.isEmpty() && mayOffload()) {
            for (Config candidate : open) {
                offloading(candidate).ifPresent(fitting::add);
            }
        }
        if (fitting.isEmpty()) {
            MachinePlan leanest = all.stream()
                    .min(Comparator.comparingLong(MachinePlan::mostBytes))
                    .orElseThrow(this::nothingDivides);
            throw new Misfit(leanest, workspaceBytes).exception();
        }
        fitting.sort(Comparator.comparingDouble(MachinePlan::seconds));
        return List.copyOf(fitting.subList(0, Math.min(BEST, fitting.size())));
    }

    private MachinePlan balancedOrNot(Config candidate) {
        MachinePlan plan = plan(config.isAuto() ? balanced(candidate) : candidate);
        return plan.fits() ? plan : plan(candidate);
    }

    private boolean mayOffload() {
        return switch (config.parallelism()) {
            case PartlyAutoLayout partly -> partly.offload().isEmpty();
            case AutoLayout auto -> true;
            case Layout layout -> false;
        };
    }

    /** The layout with the least of it offloaded that makes it fit. */
    private Optional<MachinePlan> offloading(Config candidate) {
        for (List<Offload> words : OFFLOAD) {
            Config offloading = candidate.with(
                    candidate.layout().withOffload(words), candidate.training().microBatchSize());
            if (!offloading.canRun()) {
                continue; // such a device does not reach such a store
            }
            MachinePlan plan = balancedOrNot(offloading);
            if (plan.fits()) {
                return Optional.of(plan);
            }
        }
        return Optional.empty();
    }

    /** What {@code parallelism: auto} may choose from. */
    List<Config> candidates() {
        return Candidates.of(
                config, model.config().tieWordEmbeddings(), model.layers().size(), mostRanks());
    }

    private PlanException nothingDivides() {
        String ranks = config.cluster().device() == DeviceKind.CUDA
                ? " ranks with a GPU each"
                : " ranks of " + config.cluster().threadsPerRank() + " threads";
        return new PlanException("no layout of at most " + mostRanks() + ranks + " divides global_batch_size="
                + config.training().globalBatchSize() + " and " + model.layers().size()
                + " layers within the keys that are given: free one of them");
    }

    private MachinePlan plan(Config open) {
        Plan plan = RunSetup.plan(open, model, workspaceBytes);
        Config candidate = RunSetup.decided(open, model, plan);
        MachineRates known = rates.apply(busyRanks(candidate));
        Link link = new Link(known.messageSeconds(), messageBytes(plan) / known.messageBytesPerSecond(), false);
        Timeline step = times(candidate, plan, known, link, known.messageBytesPerSecond())
                .simulate();
        PlanTimes free = times(candidate, plan, known, Link.FREE, Double.POSITIVE_INFINITY);
        double end = free.reduceTied();
        double update = 0;
        for (int rank = 0; rank < plan.schedule().ranks(); rank++) {
            update = Math.max(update, free.optimizerStep(rank));
        }
        return new MachinePlan(
                candidate,
                model,
                plan,
                step,
                TimeSplit.of(step, free.simulate(), end + update),
                MemoryLimit.of(candidate),
                known.basis());
    }

    /** The split by measured times, where there are any and the user gives none: every rank of the run then reads it from the config, and bits do not depend on it. */
    private Config balanced(Config candidate) {
        Layout layout = candidate.layout();
        MachineRates known = rates.apply(busyRanks(candidate));
        if (!known.measured() || !layout.split().isEmpty() || layout.stages() == 1) {
            return candidate;
        }
        int size = candidate.training().microBatchSize();
        Plan even = RunSetup.plan(candidate, model, workspaceBytes);
        MicroBatchShape shape = new MicroBatchShape(size, candidate.training().sequenceLength());
        LayerSeconds layers = known.layers().apply(size);
        double[] costs = new double[model.layers().size()];
        for (int i = 0; i < costs.length; i++) {
            LayerSpec layer = model.layers().get(i);
            PhaseSeconds seconds = layers.of(layer);
            costs[i] = seconds.total(even.schedule().splitsBackward())
                    + seconds.forward()
                            * CostModel.recomputedShare(
                                    layer, even.techniques().recomputation(i), shape, RunSetup.compute(candidate));
        }
        List<Integer> split = Partition.minimizeSlowestStage(costs, layout.stages()).stream()
                .map(Plan.StageLayers::count)
                .toList();
        return candidate.with(layout.withSplit(split), size);
    }

    /** Ranks beyond the cores of this machine would be elsewhere. GPUs share nothing that they compute with: all are measured at once, and once. */
    private int busyRanks(Config candidate) {
        return switch (candidate.cluster().device()) {
            case CPU -> Math.min(candidate.layout().ranks(), mostRanks());
            case CUDA -> mostRanks();
        };
    }

    private PlanTimes times(Config candidate, Plan plan, MachineRates rates, Link link, double replicaBytesPerSecond) {
        ModelSpec part = RunSetup.part(candidate, model, 0);
        TensorTraffic shared = new TensorTraffic(
                plan, part, rates.messageSeconds(), rates.messageBytesPerSecond(), rates.updateBytesPerSecond());
        SharedLayers layers = new SharedLayers(
                model, part, rates.layers().apply(plan.microBatch().batch()), plan.microBatch(), plan.compute());
        return new PlanTimes(
                plan,
                part,
                layer -> layers.of(layer).plus(shared.of(layer)),
                rates.updateBytesPerSecond(),
                link,
                tiedSeconds(plan, rates),
                replicaBytesPerSecond,
                new PlanTimes.Stores(storeBytesPerSecond(plan, rates), carriesBeside(candidate)));
    }

    /** A store is timed for a plan that uses it. */
    private static double storeBytesPerSecond(Plan plan, MachineRates rates) {
        return plan.memory().stream().anyMatch(rank -> rank.offloadedBytes() > 0)
                ? rates.storeBytesPerSecond().getAsDouble()
                : Double.POSITIVE_INFINITY;
    }

    /** Whether activations are carried by what computes nothing: a core that the ranks leave free, a GPU's copies. */
    private static boolean carriesBeside(Config candidate) {
        int busy = candidate.layout().ranks() * candidate.cluster().threadsPerRank();
        return candidate.cluster().device() == DeviceKind.CUDA
                || busy < Runtime.getRuntime().availableProcessors();
    }

    private double messageBytes(Plan plan) {
        return (double) plan.microBatch().rows()
                * model.config().hiddenSize()
                * plan.compute().bytes()
                / (plan.split().sequenceParallel() ? plan.split().size() : 1);
    }

    /** Reads two, writes one; between ranks the bytes travel too. */
    private double tiedSeconds(Plan plan, MachineRates rates) {
        double bytes = 0;
        for (ParameterSpec parameter : MemoryPlanner.distinctParameters(model.layers())) {
            bytes += parameter.tied()
                    ? (double) parameter.shape().elements()
                            * plan.compute().accumulator().bytes()
                            / plan.split().size()
                    : 0;
        }
        List<List<Integer>> stageOf = plan.schedule().stageOf();
        boolean together = stageOf.stream()
                .anyMatch(stages ->
                        stages.contains(0) && stages.contains(plan.stages().size() - 1));
        return 3 * bytes / rates.updateBytesPerSecond() + (together ? 0 : bytes / rates.messageBytesPerSecond());
    }

    private int mostRanks() {
        return Devices.ranksAtOnce(config.cluster());
    }
}
