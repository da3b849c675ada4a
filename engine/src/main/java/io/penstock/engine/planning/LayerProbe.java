package io.penstock.engine.planning;

import io.penstock.engine.config.ClusterConfig;
import io.penstock.engine.device.Devices;
import io.penstock.engine.execution.BatchSource;
import io.penstock.engine.execution.InstructionTimes;
import io.penstock.engine.optimizer.AdamW;
import io.penstock.engine.optimizer.LearningRateSchedule;
import io.penstock.engine.training.Hyperparameters;
import io.penstock.engine.training.PipelineRank;
import io.penstock.models.BlockSpec;
import io.penstock.models.EmbeddingSpec;
import io.penstock.models.HeadSpec;
import io.penstock.models.LayerSpec;
import io.penstock.models.MicroBatchShape;
import io.penstock.models.ModelConfig;
import io.penstock.models.ModelFamily;
import io.penstock.models.ModelSpec;
import io.penstock.partitioner.CostModel.PhaseSeconds;
import io.penstock.partitioner.LayerSeconds;
import io.penstock.partitioner.Plan;
import io.penstock.partitioner.Plan.StageLayers;
import io.penstock.partitioner.PlanTimes;
import io.penstock.partitioner.Planner;
import io.penstock.partitioner.Techniques;
import io.penstock.partitioner.schedule.Instruction;
import io.penstock.partitioner.schedule.Schedule;
import io.penstock.partitioner.schedule.ScheduleText;
import io.penstock.tensor.Backend;
import io.penstock.tensor.DType;
import io.penstock.tensor.MemoryLedger;
import io.penstock.tensor.Tensor;
import io.penstock.transport.Endpoint;
import io.penstock.transport.EndpointSettings;
import io.penstock.transport.InMemoryFabric;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;

/**
 * Times the layers of a model on this machine: each rank trains a copy with three blocks, embedding, blocks and head as chunks of their own, while the other ranks do the same,
 * for they share memory and caches. On a GPU the times are those between events of the device. So what is measured is what the executor will run.
 */
final class LayerProbe {
    /** One block alone would stay in a cache that a real stage flows through. */
    private static final int BLOCKS = 3;

    private static final int LEAST_STEPS = 8;
    private static final int MOST_STEPS = 200;
    private static final double SECONDS = 2.5;
    private static final String IN_HALVES = """
            name: probe
            micro-batches: 1
            stages 0 1 2: F0 F0.1 F0.2 I0.2 I0.1 I0 W0.2 W0.1 W0
            """;
    /** The halves together take longer: the second reads again what the first had in the cache. */
    private static final String IN_ONE_PIECE = """
            name: probe
            micro-batches: 1
            stages 0 1 2: F0 F0.1 F0.2 B0.2 B0.1 B0
            """;

    private static final long COPY_BYTES = 32L << 20;

    /**
     * What one rank took.
     *
     * @param block of one block
     * @param updateBytesPerSecond of the bytes that {@link PlanTimes#updateBytes} counts
     * @param copyBytesPerSecond of one thread that copies, each byte counted once
     */
    record Measured(
            PhaseSeconds embedding,
            PhaseSeconds block,
            PhaseSeconds head,
            double updateBytesPerSecond,
            double copyBytesPerSecond) {
        LayerSeconds layers() {
            return this::of;
        }

        /** With backwards in one piece as {@code other} took. */
        private Measured with(Measured other) {
            return new Measured(
                    with(embedding, other.embedding),
                    with(block, other.block),
                    with(head, other.head),
                    updateBytesPerSecond,
                    copyBytesPerSecond);
        }

        private static PhaseSeconds with(PhaseSeconds halves, PhaseSeconds whole) {
            return new PhaseSeconds(
                    halves.forward(), halves.backwardInput(), halves.backwardWeight(), whole.backward());
        }

        private PhaseSeconds of(LayerSpec layer) {
            return switch (layer) {
                case EmbeddingSpec e -> embedding;
                case BlockSpec b -> block;
                case HeadSpec h -> head;
            };
        }
    }

    private final ModelSpec model;
    private final Plan plan;
    private final ClusterConfig cluster;
    private final CyclicBarrier start;

    private LayerProbe(ModelSpec model, Plan plan, ClusterConfig cluster, int ranks) {
        this.model = model;
        this.plan = plan;
        this.cluster = cluster;
        this.start = new CyclicBarrier(ranks);
    }

    /**
     * Measures {@code ranks} ranks of the cluster's device at once; takes a few seconds and the memory of three blocks, embedding and head a rank.
     *
     * @throws io.penstock.tensor.OutOfDeviceMemoryException if a device has no room for these
     */
    static Measured measure(
            ModelFamily family,
            ModelConfig shape,
            MicroBatchShape microBatch,
            DType compute,
            ClusterConfig cluster,
            int ranks) {
        ModelSpec few = family.spec(shape.withLayers(BLOCKS));
        return measure(IN_HALVES, few, microBatch, compute, cluster, ranks)
                .with(measure(IN_ONE_PIECE, few, microBatch, compute, cluster, ranks));
    }

    private static Measured measure(
            String program,
            ModelSpec model,
            MicroBatchShape microBatch,
            DType compute,
            ClusterConfig cluster,
            int ranks) {
        Schedule schedule = ScheduleText.parse(program, model.config().tieWordEmbeddings());
        List<StageLayers> stages =
                List.of(new StageLayers(0, 1), new StageLayers(1, 1 + BLOCKS), new StageLayers(1 + BLOCKS, 2 + BLOCKS));
        Plan plan = Planner.plan(
                model, microBatch, compute, schedule, Techniques.NONE, stages, Devices.workspaceBytes(cluster));
        LayerProbe probe = new LayerProbe(model, plan, cluster, ranks);
        return mean(AtOnce.run(ranks, rank -> () -> probe.rank(rank)));
    }

    private static Measured mean(List<Measured> ranks) {
        return new Measured(
                mean(ranks, Measured::embedding),
                mean(ranks, Measured::block),
                mean(ranks, Measured::head),
                average(ranks, Measured::updateBytesPerSecond),
                average(ranks, Measured::copyBytesPerSecond));
    }

    private static PhaseSeconds mean(List<Measured> ranks, Function<Measured, PhaseSeconds> layer) {
        return new PhaseSeconds(
                average(ranks, m -> layer.apply(m).forward()),
                average(ranks, m -> layer.apply(m).backwardInput()),
                average(ranks, m -> layer.apply(m).backwardWeight()),
                average(ranks, m -> layer.apply(m).backward()));
    }

    private static double average(List<Measured> ranks, ToDoubleFunction<Measured> value) {
        return ranks.stream().mapToDouble(value).average().orElseThrow();
    }

    private Measured rank(int number) throws Exception {
        InMemoryFabric alone = new InMemoryFabric(1, EndpointSettings.DEFAULT);
        try (Endpoint endpoint = alone.endpoint(0);
                Backend backend = Devices.open(cluster, number)) {
            MemoryLedger ledger = new MemoryLedger(backend::allocate, Long.MAX_VALUE);
            try (PipelineRank rank =
                    new PipelineRank(model, plan, hyperparameters(), backend, ledger, endpoint, batches())) {
                rank.initialize(1);
                rank.followDevice();
                double copy = copyBytesPerSecond();
                start.await();
                double[] seconds = medians(rank);
                endpoint.announceDone();
                return measured(seconds, copy);
            }
        }
    }

    /** Median seconds of each instruction over the second half of the steps. */
    private double[] medians(PipelineRank rank) {
        int instructions = plan.schedule().instructions().get(0).size();
        List<double[]> steps = new ArrayList<>();
        long begin = System.nanoTime();
        while (steps.size() < LEAST_STEPS || (System.nanoTime() - begin < SECONDS * 1e9 && steps.size() < MOST_STEPS)) {
            rank.trainStep(steps.size());
            // a GPU's own times, where it is one: the host is ahead of it
            InstructionTimes times = rank.times().onDevice().orElse(rank.times());
            long[] starts = times.startNs();
            long[] ends = times.endNs();
            double[] seconds = new double[instructions];
            Arrays.setAll(seconds, i -> (ends[i] - starts[i]) * 1e-9);
            steps.add(seconds);
        }
        List<double[]> warm = steps.subList(steps.size() / 2, steps.size());
        double[] medians = new double[instructions];
        Arrays.setAll(
                medians,
                i -> warm.stream()
                        .mapToDouble(step -> step[i])
                        .sorted()
                        .skip(warm.size() / 2)
                        .findFirst()
                        .orElseThrow());
        return medians;
    }

    private Measured measured(double[] seconds, double copyBytesPerSecond) {
        double[][] phases = new double[3][4];
        double update = 0;
        List<Instruction> program = plan.schedule().instructions().get(0);
        for (int i = 0; i < program.size(); i++) {
            switch (program.get(i)) {
                case Instruction.Forward f -> phases[f.chunk()][0] += seconds[i];
                case Instruction.Backward b -> phases[b.chunk()][3] += seconds[i];
                case Instruction.BackwardInput b -> phases[b.chunk()][1] += seconds[i];
                case Instruction.BackwardWeight b -> phases[b.chunk()][2] += seconds[i];
                case Instruction.OptimizerStep o -> update += seconds[i];
                default -> {}
            }
        }
        return new Measured(
                phase(phases[0], 1),
                phase(phases[1], BLOCKS),
                phase(phases[2], 1),
                PlanTimes.updateBytes(plan.memory().get(0)) / update,
                copyBytesPerSecond);
    }

    private static PhaseSeconds phase(double[] seconds, int layers) {
        return new PhaseSeconds(seconds[0] / layers, seconds[1] / layers, seconds[2] / layers, seconds[3] / layers);
    }

    private static double copyBytesPerSecond() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment from = arena.allocate(COPY_BYTES);
            MemorySegment to = arena.allocate(COPY_BYTES);
            from.fill((byte) 1);
            to.fill((byte) 2);
            double best = 0;
            for (int i = 0; i < LEAST_STEPS; i++) {
                long begin = System.nanoTime();
                MemorySegment.copy(from, 0, to, 0, COPY_BYTES);
                best = Math.max(best, COPY_BYTES * 1e9 / (System.nanoTime() - begin));
            }
            return best;
        }
    }

    private static Hyperparameters hyperparameters() {
        return new Hyperparameters(
                new AdamW(0.9, 0.95, 1e-8, 0.1, 1),
                new LearningRateSchedule(1e-4, 0, LearningRateSchedule.Decay.CONSTANT, 1, MOST_STEPS));
    }

    /** Tokens all over the vocabulary, so that looking them up misses the cache as it would. */
    private BatchSource batches() {
        int vocabulary = model.config().vocabSize();
        return new BatchSource() {
            @Override
            public void tokens(Tensor tokens_BT, int step, int microBatch) {
                for (long i = 0; i < tokens_BT.elements(); i++) {
                    tokens_BT.set(i, (double) Math.floorMod((i + 31L * step) * 2_654_435_761L, vocabulary));
                }
            }

            @Override
            public void targets(Tensor targets_BT, int step, int microBatch) {
                tokens(targets_BT, step + 1, microBatch);
            }
        };
    }
}
