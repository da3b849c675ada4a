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
import io.penstock.partitioner.schedule.ScheduleText;
import io.penstock.tensor.Backend;
import io.penstock.tensor.DType;
import io.penstock.tensor.MemoryLedger;
import io.penstock.tensor.Tensor;
import io.penstock.transport.Endpoint;
import io.penstock.transport.EndpointSettings;
import io.penstock.transport.InMemoryFabric;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import java.util.function.Predicate;

/**
 * Times the layers of a model on this machine: each rank trains a copy with three blocks, embedding, blocks and head as chunks of their own, while the other ranks do the same,
 * for they share memory and caches. On a GPU the times are those between events of the device. So what is measured is what the executor will run.
 */
final class LayerProbe {
    /** One block alone would stay in a cache that a real stage flows through. */
    private static final int BLOCKS = 3;
    /** Of each chunk: embedding, blocks, head. */
    private static final int[] LAYERS = {1, BLOCKS, 1};

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

    /**
     * What one rank took.
     *
     * @param block of one block
     * @param updateBytesPerSecond of the bytes that {@link PlanTimes#updateBytes} counts
     */
    record Measured(PhaseSeconds embedding, PhaseSeconds block, PhaseSeconds head, double updateBytesPerSecond) {
        LayerSeconds layers() {
            return this::of;
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

    private LayerProbe(
            String program,
            ModelSpec model,
            MicroBatchShape microBatch,
            DType compute,
            ClusterConfig cluster,
            int ranks) {
        this.model = model;
        this.cluster = cluster;
        this.start = new CyclicBarrier(ranks);
        List<StageLayers> stages =
                List.of(new StageLayers(0, 1), new StageLayers(1, 1 + BLOCKS), new StageLayers(1 + BLOCKS, 2 + BLOCKS));
        this.plan = Planner.plan(
                model,
                microBatch,
                compute,
                ScheduleText.parse(program, model.config().tieWordEmbeddings()),
                Techniques.NONE,
                stages,
                Devices.workspaceBytes(cluster));
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
        LayerProbe halves = new LayerProbe(IN_HALVES, few, microBatch, compute, cluster, ranks);
        LayerProbe whole = new LayerProbe(IN_ONE_PIECE, few, microBatch, compute, cluster, ranks);
        double[] ofHalves = halves.seconds();
        double[] ofWhole = whole.seconds();
        double update = halves.sum(ofHalves, Instruction.OptimizerStep.class::isInstance);
        PhaseSeconds[] layers = new PhaseSeconds[LAYERS.length];
        for (int chunk = 0; chunk < layers.length; chunk++) {
            layers[chunk] = new PhaseSeconds(
                    halves.ofLayer(ofHalves, Instruction.Forward.class, chunk),
                    halves.ofLayer(ofHalves, Instruction.BackwardInput.class, chunk),
                    halves.ofLayer(ofHalves, Instruction.BackwardWeight.class, chunk),
                    whole.ofLayer(ofWhole, Instruction.Backward.class, chunk));
        }
        return new Measured(
                layers[0],
                layers[1],
                layers[2],
                PlanTimes.updateBytes(halves.plan.memory().get(0)) / update);
    }

    /** Of each instruction, the mean over ranks. */
    private double[] seconds() {
        List<double[]> found = AtOnce.run(start.getParties(), number -> () -> rank(number));
        double[] mean = new double[found.getFirst().length];
        Arrays.setAll(
                mean, i -> found.stream().mapToDouble(rank -> rank[i]).average().orElseThrow());
        return mean;
    }

    private double sum(double[] seconds, Predicate<Instruction> which) {
        List<Instruction> program = plan.schedule().instructions().get(0);
        double sum = 0;
        for (int i = 0; i < seconds.length; i++) {
            sum += which.test(program.get(i)) ? seconds[i] : 0;
        }
        return sum;
    }

    /** Of one layer of a chunk. */
    private double ofLayer(double[] seconds, Class<? extends Instruction.OnMicroBatch> kind, int chunk) {
        return sum(seconds, i -> kind.isInstance(i) && kind.cast(i).chunk() == chunk) / LAYERS[chunk];
    }

    private double[] rank(int number) throws Exception {
        InMemoryFabric alone = new InMemoryFabric(1, EndpointSettings.DEFAULT);
        try (Endpoint endpoint = alone.endpoint(0);
                Backend backend = Devices.open(cluster, number, plan.compute())) {
            MemoryLedger ledger = new MemoryLedger(backend::allocate, Long.MAX_VALUE);
            try (PipelineRank rank =
                    new PipelineRank(model, plan, hyperparameters(), backend, ledger, endpoint, batches())) {
                rank.initialize(1);
                rank.followDevice();
                start.await();
                double[] seconds = medians(rank);
                endpoint.announceDone();
                return seconds;
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
