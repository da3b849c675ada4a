package io.penstock.engine.training;

import io.penstock.engine.config.OffloadStoreKind;
import io.penstock.engine.execution.BatchSource;
import io.penstock.engine.offload.ShardStore;
import io.penstock.engine.offload.ShardStores;
import io.penstock.engine.offload.StoreSettings;
import io.penstock.engine.optimizer.AdamW;
import io.penstock.engine.optimizer.LearningRateSchedule;
import io.penstock.engine.optimizer.LossScale;
import io.penstock.engine.state.ParameterState;
import io.penstock.models.MicroBatchShape;
import io.penstock.models.ModelConfig;
import io.penstock.models.ModelSpec;
import io.penstock.models.gpt2.Gpt2Family;
import io.penstock.partitioner.Axes;
import io.penstock.partitioner.CostModel;
import io.penstock.partitioner.Plan;
import io.penstock.partitioner.Planner;
import io.penstock.partitioner.Sharding;
import io.penstock.partitioner.Techniques;
import io.penstock.partitioner.schedule.Schedule;
import io.penstock.partitioner.schedule.Schedules;
import io.penstock.tensor.Backend;
import io.penstock.tensor.DType;
import io.penstock.tensor.MemoryLedger;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.TensorTable;
import io.penstock.transport.Endpoint;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import java.util.function.IntFunction;
import java.util.function.Supplier;

/** A small GPT-2 trained for a few steps on made-up tokens by ranks that are threads; what it leaves is compared bit by bit. */
final class TinyRun {
    /** Of all replicas. */
    static final int MICRO_BATCHES = 8;

    /** A sum that up to four replicas share, two rounds a step. */
    static final Sharding TREE = new Sharding(1, 0, 4, 1, 2);

    static final int STEPS = 5;
    static final MicroBatchShape SHAPE = new MicroBatchShape(2, 13);
    private static final int VOCABULARY = 61;
    /** Bits of no number. */
    private static final int MISSING = 0x7fc12345;

    private static final long LIMIT_SECONDS = 120;

    /** With it the first steps of F16 overflow: on every layout of the same bits. */
    private static final LossScale.State SKIPPING = new LossScale.State(0x1p25, 0, 0);

    /** Bits of the losses and gradient norms of every step, and of every element of every master at the end, by parameter. */
    record Result(List<Long> losses, List<Long> norms, Map<String, List<Integer>> weights) {}

    private TinyRun() {}

    static ModelSpec model(boolean tied) {
        return new Gpt2Family().spec(new ModelConfig("gpt2", 3, 24, 3, 96, 16, VOCABULARY, 1e-5f, tied, 0.02));
    }

    static Hyperparameters hyperparameters() {
        return new Hyperparameters(
                new AdamW(0.9, 0.95, 1e-8, 0.1, 1),
                new LearningRateSchedule(3e-3, 2, LearningRateSchedule.Decay.COSINE, 0.1, STEPS));
    }

    /** Mapped files in the system's temporary folder, for what a plan offloads. */
    static Function<TensorTable, ShardStore> stores(int rank) {
        return stores(rank, OffloadStoreKind.FILES);
    }

    private static Function<TensorTable, ShardStore> stores(int rank, OffloadStoreKind kind) {
        Path folder = Path.of(System.getProperty("java.io.tmpdir"), "penstock-tiny-stores");
        return table -> ShardStores.open(kind, new StoreSettings(folder, rank), table);
    }

    /** Tokens as a function of step, micro-batch and place; the same for targets, one place on. */
    static BatchSource batches() {
        return new BatchSource() {
            @Override
            public void tokens(Tensor tokens_BT, int step, int microBatch) {
                fill(tokens_BT, step, microBatch, 0);
            }

            @Override
            public void targets(Tensor targets_BT, int step, int microBatch) {
                fill(targets_BT, step, microBatch, 1);
            }
        };
    }

    private static void fill(Tensor ids, int step, int microBatch, int shift) {
        for (long i = 0; i < ids.elements(); i++) {
            long sequence = i / SHAPE.sequence() + (long) microBatch * SHAPE.batch() + 100L * step;
            long place = i % SHAPE.sequence() + shift;
            ids.set(i, (double) ((sequence * 7 + place * (3 + sequence % 5)) % VOCABULARY));
        }
    }

    static Plan plan(ModelSpec model, String schedule, int ranks, DType compute, Supplier<Backend> backends) {
        return plan(model, schedule, ranks, compute, Techniques.NONE, backends);
    }

    static Sharding tree(int data, int zeroStage) {
        return new Sharding(data, zeroStage, TREE.width(), TREE.leaf(), TREE.window());
    }

    static Plan plan(
            ModelSpec model,
            String schedule,
            int ranks,
            DType compute,
            Techniques techniques,
            Supplier<Backend> backends) {
        Schedule program = Schedules.create(
                schedule,
                ranks,
                MICRO_BATCHES / techniques.sharding().data(),
                Schedules.defaultChunks(schedule),
                model.config().tieWordEmbeddings());
        try (Backend backend = backends.get()) {
            return Planner.plan(
                    model,
                    SHAPE,
                    compute,
                    program,
                    techniques,
                    CostModel.DeviceRates.cpu(compute),
                    backend.workspaceBytes());
        }
    }

    /** Runs all ranks of {@code plan}; {@code endpoints} opens the endpoint of a rank on its thread. */
    static Result run(ModelSpec model, Plan plan, Supplier<Backend> backends, IntFunction<Endpoint> endpoints)
            throws Exception {
        return run(model, plan, backends, endpoints, OffloadStoreKind.FILES);
    }

    /** The same with what the plan offloads in stores of {@code kind}. */
    static Result run(
            ModelSpec model,
            Plan plan,
            Supplier<Backend> backends,
            IntFunction<Endpoint> endpoints,
            OffloadStoreKind kind)
            throws Exception {
        return run(List.of(model), List.of(plan), backends, endpoints, kind, SKIPPING);
    }

    /** {@code models} and {@code plans}: of each rank of a tensor group. */
    static Result run(
            List<ModelSpec> models, List<Plan> plans, Supplier<Backend> backends, IntFunction<Endpoint> endpoints)
            throws Exception {
        return run(models, plans, backends, endpoints, OffloadStoreKind.FILES, LossScale.State.INITIAL);
    }

    private static Result run(
            List<ModelSpec> models,
            List<Plan> plans,
            Supplier<Backend> backends,
            IntFunction<Endpoint> endpoints,
            OffloadStoreKind kind,
            LossScale.State scale)
            throws Exception {
        Axes axes = plans.getFirst().axes();
        int ranks = axes.ranks();
        Map<String, int[]> weights = new ConcurrentSkipListMap<>();
        List<List<Long>> losses = new ArrayList<>();
        List<List<Long>> norms = new ArrayList<>();
        for (int rank = 0; rank < ranks; rank++) {
            losses.add(new ArrayList<>());
            norms.add(new ArrayList<>());
        }
        ExecutorService threads = Executors.newFixedThreadPool(ranks);
        try {
            List<Future<?>> done = new ArrayList<>();
            for (int i = 0; i < ranks; i++) {
                int rank = i;
                done.add(threads.submit(() -> rank(
                        models.get(axes.tensorRank(rank)),
                        plans.get(axes.tensorRank(rank)),
                        backends,
                        endpoints.apply(rank),
                        kind,
                        scale,
                        losses.get(rank),
                        norms.get(rank),
                        weights)));
            }
            await(done);
        } finally {
            threads.shutdownNow();
        }
        for (int rank = 1; rank < ranks; rank++) {
            if (!losses.get(rank).equals(losses.get(0)) || !norms.get(rank).equals(norms.get(0))) {
                throw new AssertionError("rank " + rank + " saw other losses or norms than rank 0");
            }
        }
        Map<String, List<Integer>> bits = new TreeMap<>();
        weights.forEach((name, elements) ->
                bits.put(name, Arrays.stream(elements).boxed().toList()));
        return new Result(losses.get(0), norms.get(0), bits);
    }

    private static void await(List<Future<?>> done) throws ExecutionException, InterruptedException, TimeoutException {
        for (Future<?> future : done) {
            future.get(LIMIT_SECONDS, TimeUnit.SECONDS);
        }
    }

    private static void rank(
            ModelSpec model,
            Plan plan,
            Supplier<Backend> backends,
            Endpoint endpoint,
            OffloadStoreKind kind,
            LossScale.State scale,
            List<Long> losses,
            List<Long> norms,
            Map<String, int[]> weights) {
        try (Endpoint wire = endpoint;
                Backend backend = backends.get()) {
            MemoryLedger ledger = new MemoryLedger(backend::allocate, Long.MAX_VALUE);
            try (PipelineRank rank = new PipelineRank(
                    model, plan, hyperparameters(), backend, ledger, wire, batches(), stores(wire.rank(), kind))) {
                long predicted =
                        plan.memory().get(plan.axes().pipelineRank(wire.rank())).totalBytes();
                long allocated = ledger.totalBytes() + backend.workspaceBytes();
                if (predicted != allocated) {
                    throw new AssertionError("rank " + wire.rank() + " was planned " + predicted + " bytes, allocated "
                            + allocated + ": " + ledger.bytesByOwner());
                }
                long elsewhere =
                        plan.memory().get(plan.axes().pipelineRank(wire.rank())).offloadedBytes();
                if (elsewhere != rank.offloadedBytes()) {
                    throw new AssertionError("rank " + wire.rank() + " was planned " + elsewhere
                            + " bytes in its stores, which have " + rank.offloadedBytes());
                }
                rank.initialize(1);
                rank.lossScale().resume(scale);
                for (int step = 0; step < STEPS; step++) {
                    rank.trainStep(step);
                    losses.add(Double.doubleToLongBits(rank.loss()));
                    norms.add(Double.doubleToLongBits(rank.gradientNorm()));
                }
                for (ParameterState state : rank.store().states()) {
                    collect(state, weights);
                }
                rank.barrier();
                wire.announceDone();
            }
        } catch (RuntimeException | Error e) {
            endpoint.announceFailure(e.toString());
            throw e;
        }
    }

    /** Puts the elements that a rank updates in their places; throws if another rank had others there. */
    private static void collect(ParameterState state, Map<String, int[]> weights) {
        String name = state.spec().name();
        int elements = Math.toIntExact(state.spec().wholeShape().elements());
        int[] bits = weights.computeIfAbsent(name, n -> {
            int[] none = new int[elements];
            Arrays.fill(none, MISSING);
            return none;
        });
        Tensor part = state.updatedElements();
        synchronized (bits) {
            for (int i = 0; i < part.elements(); i++) {
                int place = Math.toIntExact(state.spec().distribution().wholeIndex(state.firstElement() + i));
                int found = Float.floatToRawIntBits((float) part.get(i));
                if (bits[place] != MISSING && bits[place] != found) {
                    throw new AssertionError("the copies of " + name + " differ at " + place);
                }
                bits[place] = found;
            }
        }
    }
}
