package io.penstock.engine.training;

import io.penstock.engine.device.DeviceRankSum;
import io.penstock.engine.device.DeviceTreeSum;
import io.penstock.engine.device.RankWire;
import io.penstock.engine.device.UploadedBatches;
import io.penstock.engine.execution.BatchSource;
import io.penstock.engine.execution.ChunkBuilder;
import io.penstock.engine.execution.ChunkRunner;
import io.penstock.engine.execution.Executor;
import io.penstock.engine.execution.InstructionTimes;
import io.penstock.engine.execution.MicroBatchLosses;
import io.penstock.engine.execution.StepEnd;
import io.penstock.engine.offload.ShardStore;
import io.penstock.engine.optimizer.LossScale;
import io.penstock.engine.optimizer.StepStatistics;
import io.penstock.engine.run.ScaledStep;
import io.penstock.engine.sharding.DataGroup;
import io.penstock.engine.sharding.SharedStates;
import io.penstock.engine.sharding.TreeSum;
import io.penstock.engine.state.ActivationPool;
import io.penstock.engine.state.OffloadedActivations;
import io.penstock.engine.state.ParameterState;
import io.penstock.engine.state.ParameterStore;
import io.penstock.engine.tensorparallel.ElementSum;
import io.penstock.engine.tensorparallel.SideWorkGroup;
import io.penstock.engine.tensorparallel.TransportTensorGroup;
import io.penstock.models.LayerSpec;
import io.penstock.models.ModelSpec;
import io.penstock.models.ParameterInitializer;
import io.penstock.models.parallel.TensorGroup;
import io.penstock.partitioner.Axes;
import io.penstock.partitioner.Plan;
import io.penstock.partitioner.RankMemory;
import io.penstock.partitioner.Sharding;
import io.penstock.partitioner.memory.Segments;
import io.penstock.partitioner.memory.Slots;
import io.penstock.partitioner.memory.StateLayout;
import io.penstock.partitioner.memory.TensorNames;
import io.penstock.partitioner.schedule.InFlight;
import io.penstock.partitioner.schedule.Placement;
import io.penstock.partitioner.schedule.Schedule;
import io.penstock.partitioner.schedule.Schedules;
import io.penstock.tensor.Backend;
import io.penstock.tensor.DeviceClock;
import io.penstock.tensor.HostMirror;
import io.penstock.tensor.MemoryLedger;
import io.penstock.tensor.TensorTable;
import io.penstock.tensor.cpu.PairwiseSum;
import io.penstock.tensor.cpu.RankSum;
import io.penstock.transport.Collectives;
import io.penstock.transport.Endpoint;
import io.penstock.transport.Reducer;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * One rank, ready to train: its memory as planned, its layers bound to it, its part of the schedule compiled. Owns its memory; backend and endpoint are the caller's. One
 * thread.
 */
public final class PipelineRank implements AutoCloseable {
    private final ModelSpec model;
    private final Plan plan;
    private final Axes axes;
    private final int pipelineRank;
    private final int replica;
    private final Backend backend;
    private final Endpoint endpoint;
    private final RankWire wire;
    private final ParameterStore store;
    private final ActivationPool pool;
    private final @Nullable OffloadedActivations elsewhere;
    private final SharedStates shared;
    private final TensorGroup group;
    private final Executor executor;
    private final StepEnd end;
    private final LossScale lossScale;
    private final Executor.Run training;
    private final Placement placement;
    private final ParameterOwners owners;
    private Optional<DeviceClock> clock = Optional.empty();

    /** Of a plan that offloads nothing. */
    public PipelineRank(
            ModelSpec model,
            Plan plan,
            Hyperparameters hyperparameters,
            Backend backend,
            MemoryLedger ledger,
            Endpoint endpoint,
            BatchSource batches) {
        this(model, plan, hyperparameters, backend, ledger, endpoint, batches, table -> {
            throw new IllegalStateException("the plan offloads " + table.totalBytes() + " bytes, nobody said where to");
        });
    }

    /** {@code stores} opens the places of states and of activations that the plan offloads. */
    public PipelineRank(
            ModelSpec model,
            Plan plan,
            Hyperparameters hyperparameters,
            Backend backend,
            MemoryLedger ledger,
            Endpoint endpoint,
            BatchSource batches,
            Function<TensorTable, ShardStore> stores) {
        this.model = model;
        this.plan = plan;
        this.axes = plan.axes();
        this.pipelineRank = axes.pipelineRank(endpoint.rank());
        this.replica = axes.replica(endpoint.rank());
        this.backend = backend;
        this.endpoint = endpoint;
        this.wire = new RankWire(endpoint, backend);
        this.placement = Placement.of(plan.schedule());
        RankMemory memory = plan.memory().get(pipelineRank);
        List<List<LayerSpec>> chunks = new ArrayList<>();
        for (int chunk = 0; chunk < plan.schedule().chunks(); chunk++) {
            chunks.add(layersOf(placement.stage(pipelineRank, chunk)));
        }
        List<LayerSpec> layers = chunks.stream().flatMap(List::stream).toList();
        int microBatches = plan.schedule().microBatches();
        StateLayout layout = new StateLayout(
                layers, plan.compute(), sharding(), plan.techniques().offloading(), microBatches);
        this.store =
                ParameterStore.allocate(memory, layout, replica, backend, ledger, wire::allocateForReplicas, stores);
        this.pool = ActivationPool.allocate(memory, ledger);
        this.elsewhere = memory.offloadedSlots().isEmpty()
                ? null
                : OffloadedActivations.open(
                        memory.offloadedSlots(), pool.activations(), backend, stores, endpoint.rank());
        this.shared = new SharedStates(store, chunks, dataGroup(), replica, microBatches, backend);
        this.group = layerGroup();
        MicroBatchLosses losses = MicroBatchLosses.of(layers, pool.buffers(), backend);
        this.executor = new Executor(axes, backend, wire.tensors(), shared, runners(chunks, losses), losses, elsewhere);
        this.owners = new ParameterOwners(model, plan, placement);
        this.lossScale = LossScale.of(plan.compute());
        this.end = stepEnd(hyperparameters);
        int global = microBatches * axes.data();
        this.training = executor.compile(
                plan.schedule(),
                UploadedBatches.of(
                        new ReplicaBatches(batches, i -> sharding().globalMicroBatch(i, replica, microBatches), global),
                        backend));
    }

    private Sharding sharding() {
        return plan.techniques().sharding();
    }

    private List<LayerSpec> layersOf(int stage) {
        Plan.StageLayers range = plan.stages().get(stage);
        return model.layers().subList(range.from(), range.to());
    }

    private List<ChunkRunner> runners(List<List<LayerSpec>> chunks, MicroBatchLosses losses) {
        ChunkBuilder builder = new ChunkBuilder(
                backend,
                store,
                shared,
                pool,
                plan.microBatch(),
                plan.compute(),
                group,
                plan.memory().get(pipelineRank).offloadedSlots(),
                losses);
        InFlight inFlight = InFlight.of(plan.schedule());
        List<ChunkRunner> runners = new ArrayList<>();
        for (int chunk = 0; chunk < chunks.size(); chunk++) {
            Plan.StageLayers range = plan.stages().get(placement.stage(pipelineRank, chunk));
            runners.add(builder.build(
                    chunk,
                    chunks.get(chunk),
                    plan.techniques().recomputation(range.from(), range.to()),
                    Slots.of(inFlight, pipelineRank, chunk)));
        }
        return runners;
    }

    private DataGroup dataGroup() {
        if (axes.data() == 1) {
            return DataGroup.alone();
        }
        Collectives collectives = new Collectives(
                wire.tensors(),
                axes.dataGroup(endpoint.rank()),
                pool.buffers().tensor(TensorNames.DATA_SCRATCH).segment());
        return new DataGroup(collectives, backend.copies().isEmpty() ? treeSum() : new DeviceTreeSum(backend));
    }

    private Reducer treeSum() {
        MemorySegment scratch = pool.buffers().tensor(TensorNames.DATA_SUM).segment();
        return new TreeSum(new PairwiseSum(scratch, axes.data()));
    }

    /** Sums over replicas move on between the pieces of a layer's work. */
    private TensorGroup layerGroup() {
        TensorGroup tensors = tensorGroup();
        return axes.data() == 1 ? tensors : new SideWorkGroup(tensors, shared::poll);
    }

    private TensorGroup tensorGroup() {
        if (axes.tensor() == 1) {
            return TensorGroup.alone();
        }
        ElementSum sum = backend.copies().isEmpty()
                ? new RankSum(pool.buffers().tensor(TensorNames.TENSOR_SUM).segment())::sum
                : new DeviceRankSum(backend, axes.tensor());
        return new TransportTensorGroup(
                new Collectives(
                        wire.tensors(),
                        axes.tensorGroup(endpoint.rank()),
                        pool.buffers().tensor(TensorNames.TENSOR_SCRATCH).segment()),
                sum);
    }

    private StepEnd stepEnd(Hyperparameters hyperparameters) {
        int first = placement.rankOf(0);
        int last = placement.rankOf(placement.stages() - 1);
        StepStatistics statistics = new StepStatistics(
                axes,
                owners.ranks(),
                owners.parts(),
                last,
                new Segments(0, axes.data()).count(),
                HostMirror.of(pool.buffers().tensor(TensorNames.STATISTICS_OWN), backend),
                wire.onHost(pool.buffers().tensor(TensorNames.STATISTICS_GATHERED)));
        Collectives collectives = new Collectives(
                wire.host(),
                IntStream.range(0, axes.ranks()).toArray(),
                wire.onHost(pool.buffers().tensor(TensorNames.COLLECTIVE_SCRATCH))
                        .segment());
        return new StepEnd(
                axes.atStage(endpoint.rank(), pipelineRank == first ? last : first),
                replica,
                backend,
                wire.tensors(),
                collectives,
                shared,
                group,
                store,
                owners.indices(store.states()),
                statistics,
                hyperparameters.optimizer(),
                hyperparameters.learningRates(),
                lossScale);
    }

    /** Every parameter from the seed, the same on every layout; optimizer states are zero. */
    public void initialize(long seed) {
        for (ParameterState state : store.states()) {
            store.host()
                    .write(
                            state.updatedElements(),
                            (first, piece) ->
                                    ParameterInitializer.fill(piece, state.spec(), seed, state.firstElement() + first));
            store.residency().releaseMaster(state);
        }
        valuesChanged();
    }

    /** Makes what layers compute with from the masters, after these were written; called by all ranks. */
    public void valuesChanged() {
        store.refreshWorking();
        shared.gatherValues();
    }

    public ParameterStore store() {
        return store;
    }

    /** Bytes of states and activations that are not in device memory. */
    public long offloadedBytes() {
        return store.offloadedBytes() + (elsewhere == null ? 0 : elsewhere.bytes());
    }

    public Axes axes() {
        return axes;
    }

    /** The parameters that this rank saves, or saves its part of: of a tied one only the embedding's copy, of ranks that hold the same only the first. */
    public List<ParameterState> ownedStates() {
        if (replica > 0 && !sharding().shardsOptimizer()) {
            return List.of();
        }
        return owners.owned(store.states(), axes, endpoint.rank());
    }

    /** Whether this rank makes the files that the ranks of its stage save to. */
    public boolean createsShard() {
        return replica == 0 && axes.tensorRank(endpoint.rank()) == 0;
    }

    /** The pipeline rank that saves each parameter of the model, by name in canonical order. */
    public Map<String, Integer> owningRanks() {
        return owners.byName();
    }

    /** Returns when all ranks have called it. */
    public void barrier() {
        end.barrier();
    }

    /** Bytes of all masters of the model. */
    public long modelBytes() {
        return model.parameterCount() * plan.compute().accumulator().bytes();
    }

    /** Of all replicas. */
    public long tokensPerStep() {
        return plan.microBatch().rows() * plan.schedule().microBatches() * axes.data();
    }

    /** Step {@code step}, from 0: forward, backward, update. Afterwards {@link #loss}, {@link #gradientNorm} and {@link #learningRate} are this step's, on every rank. */
    public void trainStep(int step) {
        executor.run(training, step, (float) lossScale.factor() * (1f / tokensPerStep()), end);
    }

    /** From now on {@link #times} has the device's own times too, where they are not the host's. */
    public void followDevice() {
        clock = training.followDevice();
    }

    /** Of the last training step's instructions, in program order. */
    public InstructionTimes times() {
        return training.times();
    }

    /** Mean over the tokens of the last step, nats. */
    public double loss() {
        return end.lossSum() / tokensPerStep();
    }

    public double gradientNorm() {
        return end.gradientNorm();
    }

    public double learningRate() {
        return end.learningRate();
    }

    /** Of the gradients, the same on every rank; a resumed run sets it before its first step. */
    public LossScale lossScale() {
        return lossScale;
    }

    /** What the last step says of its loss scale; absent where there is none. */
    public Optional<ScaledStep> scaledStep() {
        return lossScale.isDynamic()
                ? Optional.of(new ScaledStep(end.usedScale(), end.skipped(), lossScale.skippedSteps()))
                : Optional.empty();
    }

    /** An evaluation over {@code microBatches} micro-batches of {@code batches}; the same call on every rank. */
    public Evaluation evaluation(BatchSource batches, int microBatches) {
        int ofReplica = Math.ceilDiv(microBatches, axes.data());
        Schedule schedule = Schedules.evaluation(plan.schedule(), ofReplica);
        Executor.Run run = executor.compile(
                schedule,
                UploadedBatches.of(new ReplicaBatches(batches, i -> i * axes.data() + replica, microBatches), backend));
        double tokens = (double) plan.microBatch().rows() * microBatches;
        return step -> end.share(executor.run(run, step, 0, end)) / tokens;
    }

    /** Mean loss of a data set's tokens, without gradients. */
    @FunctionalInterface
    public interface Evaluation {
        /** Nats, on every rank. {@code step} only labels messages. */
        double loss(int step);
    }

    @Override
    public void close() {
        if (elsewhere != null) {
            elsewhere.close();
        }
        clock.ifPresent(DeviceClock::close);
        wire.close();
        pool.close();
        store.close();
    }
}
