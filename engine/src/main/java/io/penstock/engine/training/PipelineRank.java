package io.penstock.engine.training;

import io.penstock.engine.execution.BatchSource;
import io.penstock.engine.execution.ChunkBuilder;
import io.penstock.engine.execution.ChunkRunner;
import io.penstock.engine.execution.Executor;
import io.penstock.engine.execution.InstructionTimes;
import io.penstock.engine.execution.StepEnd;
import io.penstock.engine.optimizer.StepStatistics;
import io.penstock.engine.state.ActivationPool;
import io.penstock.engine.state.ParameterState;
import io.penstock.engine.state.ParameterStore;
import io.penstock.models.LayerSpec;
import io.penstock.models.ModelSpec;
import io.penstock.models.ParameterInitializer;
import io.penstock.models.ParameterSpec;
import io.penstock.partitioner.Plan;
import io.penstock.partitioner.RankMemory;
import io.penstock.partitioner.memory.MemoryPlanner;
import io.penstock.partitioner.memory.Slots;
import io.penstock.partitioner.memory.TensorNames;
import io.penstock.partitioner.schedule.InFlight;
import io.penstock.partitioner.schedule.Placement;
import io.penstock.partitioner.schedule.Schedule;
import io.penstock.partitioner.schedule.Schedules;
import io.penstock.tensor.Backend;
import io.penstock.tensor.MemoryLedger;
import io.penstock.transport.Collectives;
import io.penstock.transport.Endpoint;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * One pipeline rank, ready to train: its memory as planned, its layers bound to it, its part of the schedule compiled. Owns its memory; backend and endpoint are the
 * caller's. One thread.
 */
public final class PipelineRank implements AutoCloseable {
    private final ModelSpec model;
    private final Plan plan;
    private final int rank;
    private final Backend backend;
    private final ParameterStore store;
    private final ActivationPool pool;
    private final Executor executor;
    private final StepEnd end;
    private final Executor.Run training;
    private final Placement placement;
    private final int[] ownerOf;

    public PipelineRank(
            ModelSpec model,
            Plan plan,
            Hyperparameters hyperparameters,
            Backend backend,
            MemoryLedger ledger,
            Endpoint endpoint,
            BatchSource batches) {
        this.model = model;
        this.plan = plan;
        this.rank = endpoint.rank();
        this.backend = backend;
        this.placement = Placement.of(plan.schedule());
        RankMemory memory = plan.memory().get(rank);
        List<List<LayerSpec>> chunks = new ArrayList<>();
        for (int chunk = 0; chunk < plan.schedule().chunks(); chunk++) {
            chunks.add(layersOf(placement.stage(rank, chunk)));
        }
        List<LayerSpec> layers = chunks.stream().flatMap(List::stream).toList();
        this.store = ParameterStore.allocate(memory, layers, backend, ledger);
        this.pool = ActivationPool.allocate(memory, ledger);
        ChunkBuilder builder = new ChunkBuilder(backend, store, pool, plan.microBatch(), plan.compute());
        InFlight inFlight = InFlight.of(plan.schedule());
        List<ChunkRunner> runners = new ArrayList<>();
        for (int chunk = 0; chunk < chunks.size(); chunk++) {
            Plan.StageLayers range = plan.stages().get(placement.stage(rank, chunk));
            runners.add(builder.build(
                    chunk,
                    chunks.get(chunk),
                    plan.techniques().recomputation(range.from(), range.to()),
                    Slots.of(inFlight, rank, chunk)));
        }
        this.ownerOf = owners();
        this.executor = new Executor(rank, backend, endpoint, runners);
        this.end = stepEnd(hyperparameters, endpoint);
        this.training = executor.compile(plan.schedule(), batches);
    }

    private List<LayerSpec> layersOf(int stage) {
        Plan.StageLayers range = plan.stages().get(stage);
        return model.layers().subList(range.from(), range.to());
    }

    private List<ParameterSpec> canonicalParameters() {
        return List.copyOf(MemoryPlanner.distinctParameters(model.layers()));
    }

    /** The rank that owns each parameter: that of the first stage that holds it. */
    private int[] owners() {
        List<ParameterSpec> canonical = canonicalParameters();
        int[] owners = new int[canonical.size()];
        Arrays.fill(owners, -1);
        for (int stage = 0; stage < placement.stages(); stage++) {
            for (ParameterSpec spec : MemoryPlanner.distinctParameters(layersOf(stage))) {
                int index = canonical.indexOf(spec);
                owners[index] = owners[index] < 0 ? placement.rankOf(stage) : owners[index];
            }
        }
        return owners;
    }

    private StepEnd stepEnd(Hyperparameters hyperparameters, Endpoint endpoint) {
        int ranks = plan.schedule().ranks();
        int first = placement.rankOf(0);
        int last = placement.rankOf(placement.stages() - 1);
        List<ParameterSpec> canonical = canonicalParameters();
        int[] canonicalIndex = store.states().stream()
                .mapToInt(state -> canonical.indexOf(state.spec()))
                .toArray();
        StepStatistics statistics = new StepStatistics(
                ownerOf,
                last,
                pool.buffers().tensor(TensorNames.STATISTICS_OWN),
                pool.buffers().tensor(TensorNames.STATISTICS_GATHERED));
        Collectives collectives = new Collectives(
                endpoint,
                IntStream.range(0, ranks).toArray(),
                pool.buffers().tensor(TensorNames.COLLECTIVE_SCRATCH).segment());
        return new StepEnd(
                rank,
                rank == first ? last : first,
                backend,
                endpoint,
                collectives,
                store,
                canonicalIndex,
                statistics,
                hyperparameters.optimizer(),
                hyperparameters.learningRates());
    }

    /** Every parameter from the seed, the same on every layout; optimizer states are zero. */
    public void initialize(long seed) {
        for (ParameterState state : store.states()) {
            ParameterInitializer.fill(state.master(), state.spec(), seed);
        }
        store.refreshWorking();
    }

    public ParameterStore store() {
        return store;
    }

    /** The parameters that this rank saves: of a tied one only the embedding's copy. */
    public List<ParameterState> ownedStates() {
        List<ParameterSpec> canonical = canonicalParameters();
        return store.states().stream()
                .filter(state -> ownerOf[canonical.indexOf(state.spec())] == rank)
                .toList();
    }

    /** The rank that saves each parameter of the model, by name in canonical order. */
    public Map<String, Integer> owningRanks() {
        Map<String, Integer> ranks = new LinkedHashMap<>();
        List<ParameterSpec> canonical = canonicalParameters();
        for (int i = 0; i < canonical.size(); i++) {
            ranks.put(canonical.get(i).name(), ownerOf[i]);
        }
        return ranks;
    }

    /** Returns when all ranks have called it. */
    public void barrier() {
        end.barrier();
    }

    /** Bytes of all masters of the model. */
    public long modelBytes() {
        return model.parameterCount() * plan.compute().accumulator().bytes();
    }

    public long tokensPerStep() {
        return tokensOf(plan.schedule());
    }

    private long tokensOf(Schedule schedule) {
        return plan.microBatch().rows() * schedule.microBatches();
    }

    /** Step {@code step}, from 0: forward, backward, update. Afterwards {@link #loss}, {@link #gradientNorm} and {@link #learningRate} are this step's, on every rank. */
    public void trainStep(int step) {
        executor.run(training, step, 1f / tokensOf(plan.schedule()), end);
    }

    /** Of the last training step's instructions, in program order. */
    public InstructionTimes times() {
        return training.times();
    }

    /** Mean over the tokens of the last step, nats. */
    public double loss() {
        return end.lossSum() / tokensOf(plan.schedule());
    }

    public double gradientNorm() {
        return end.gradientNorm();
    }

    public double learningRate() {
        return end.learningRate();
    }

    /** An evaluation over {@code microBatches} micro-batches of {@code batches}; the same call on every rank. */
    public Evaluation evaluation(BatchSource batches, int microBatches) {
        Schedule schedule = Schedules.evaluation(plan.schedule(), microBatches);
        Executor.Run run = executor.compile(schedule, batches);
        return step -> end.share(executor.run(run, step, 0, end)) / tokensOf(schedule);
    }

    /** Mean loss of a data set's tokens, without gradients. */
    @FunctionalInterface
    public interface Evaluation {
        /** Nats, on every rank. {@code step} only labels messages. */
        double loss(int step);
    }

    @Override
    public void close() {
        pool.close();
        store.close();
    }
}
