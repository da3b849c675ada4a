package io.penstock.engine.generation;

import io.penstock.engine.checkpoint.CheckpointException;
import io.penstock.engine.checkpoint.CheckpointManifest;
import io.penstock.engine.checkpoint.CheckpointReader;
import io.penstock.engine.config.ConfigModels;
import io.penstock.engine.device.UploadedBatches;
import io.penstock.engine.execution.BatchSource;
import io.penstock.engine.execution.ChunkBuilder;
import io.penstock.engine.execution.ChunkRunner;
import io.penstock.engine.execution.MicroBatchLosses;
import io.penstock.engine.sharding.WholeStates;
import io.penstock.engine.state.ActivationPool;
import io.penstock.engine.state.ParameterStore;
import io.penstock.models.MicroBatchShape;
import io.penstock.models.ModelConfig;
import io.penstock.models.ModelSpec;
import io.penstock.models.Recomputation;
import io.penstock.models.data.SequenceSampler;
import io.penstock.models.parallel.TensorGroup;
import io.penstock.models.tokens.Tokenizer;
import io.penstock.models.tokens.Tokenizers;
import io.penstock.models.weights.ConfigJson;
import io.penstock.models.weights.ModelFolder;
import io.penstock.partitioner.Offloading;
import io.penstock.partitioner.Plan.StageLayers;
import io.penstock.partitioner.RankMemory;
import io.penstock.partitioner.Sharding;
import io.penstock.partitioner.Techniques;
import io.penstock.partitioner.memory.MemoryPlanner;
import io.penstock.partitioner.memory.OffloadedSlots;
import io.penstock.partitioner.memory.Slots;
import io.penstock.partitioner.memory.StateLayout;
import io.penstock.partitioner.schedule.Schedule;
import io.penstock.partitioner.schedule.Schedules;
import io.penstock.tensor.Backend;
import io.penstock.tensor.DType;
import io.penstock.tensor.HostAccess;
import io.penstock.tensor.MemoryLedger;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.TensorTable;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;

/** A model from a folder in Hugging Face layout, ready to run forward on one micro-batch. Owns its memory; the backend is the caller's. One thread. */
public final class LoadedModel implements AutoCloseable {
    /** The type that it computes in. */
    public static final DType COMPUTE = DType.F32;

    private final ModelSpec model;
    private final Backend backend;
    private final MicroBatchShape shape;
    private final Tokenizer tokenizer;
    private final ParameterStore store;
    private final ActivationPool pool;
    private final ChunkRunner runner;
    private final MicroBatchLosses losses;

    private LoadedModel(
            ModelSpec model,
            Backend backend,
            MicroBatchShape shape,
            Tokenizer tokenizer,
            ParameterStore store,
            ActivationPool pool,
            ChunkRunner runner,
            MicroBatchLosses losses) {
        this.model = model;
        this.backend = backend;
        this.shape = shape;
        this.tokenizer = tokenizer;
        this.store = store;
        this.pool = pool;
        this.runner = runner;
        this.losses = losses;
    }

    /** Throws {@link io.penstock.models.weights.ModelFileException} for a folder that is no model. {@code batch} sequences of the model's longest length, in F32. */
    public static LoadedModel open(Path folder, int batch, Backend backend) {
        ModelConfig config = ModelFolder.config(folder);
        ModelSpec model = ConfigModels.family(config.architecture()).spec(config);
        MicroBatchShape shape = new MicroBatchShape(batch, config.maxPositionEmbeddings());
        Tokenizer tokenizer = Tokenizers.load(folder);
        Schedule forward = Schedules.evaluation(Schedules.create("gpipe", 1, 1, 1, config.tieWordEmbeddings()), 1);
        List<StageLayers> stages = List.of(new StageLayers(0, model.layers().size()));
        // Nothing goes backward: what a layer would save may be overwritten by the next.
        Techniques forwardOnly =
                Techniques.NONE.with(Collections.nCopies(model.layers().size(), Recomputation.FULL));
        RankMemory memory =
                withoutTraining(new MemoryPlanner(model, shape, COMPUTE, forwardOnly, backend.workspaceBytes())
                        .plan(forward, stages)
                        .getFirst());
        MemoryLedger ledger = new MemoryLedger(backend::allocate, Long.MAX_VALUE);
        StateLayout layout = new StateLayout(model.layers(), COMPUTE, Sharding.NONE, Offloading.NONE, 1);
        ParameterStore store = ParameterStore.forInference(memory, layout, backend, ledger);
        ActivationPool pool = ActivationPool.allocate(memory, ledger);
        CheckpointReader.readWeights(folder, store);
        store.refreshWorking();
        MicroBatchLosses losses = MicroBatchLosses.of(model.layers(), pool.buffers(), backend);
        ChunkRunner runner = new ChunkBuilder(
                        backend,
                        store,
                        WholeStates.INSTANCE,
                        pool,
                        shape,
                        COMPUTE,
                        TensorGroup.alone(),
                        OffloadedSlots.NONE,
                        losses)
                .build(0, model.layers(), forwardOnly.recomputation(), new Slots(1, 0));
        return new LoadedModel(model, backend, shape, tokenizer, store, pool, runner, losses);
    }

    /** Throws {@link CheckpointException} for a folder without a model, or whose files are not those that its manifest lists. */
    public static void requireWhole(Path folder) {
        if (!Files.isDirectory(folder)) {
            throw new CheckpointException(folder + " is no checkpoint: there is no such folder");
        }
        if (!Files.exists(folder.resolve(ConfigJson.FILE))) {
            throw new CheckpointException(folder + " is no checkpoint: it has no " + ConfigJson.FILE);
        }
        CheckpointManifest.verifyWeights(folder);
    }

    /** Gradients and moments are not allocated. */
    private static RankMemory withoutTraining(RankMemory memory) {
        TensorTable none = TensorTable.builder().build();
        return new RankMemory(
                memory.parameters(),
                none,
                none,
                memory.activations(),
                memory.stash(),
                memory.buffers(),
                memory.workspaceBytes(),
                none,
                OffloadedSlots.NONE);
    }

    public ModelSpec model() {
        return model;
    }

    public MicroBatchShape shape() {
        return shape;
    }

    public Tokenizer tokenizer() {
        return tokenizer;
    }

    HostAccess host() {
        return store.host();
    }

    /** {@code sampler}'s sequences as micro-batches, in order. */
    BatchSource batches(SequenceSampler sampler) {
        BatchSource onHost = new BatchSource() {
            @Override
            public void tokens(Tensor tokens_BT, int step, int microBatch) {
                sampler.fillTokens(tokens_BT, (long) microBatch * shape.batch());
            }

            @Override
            public void targets(Tensor targets_BT, int step, int microBatch) {
                sampler.fillTargets(targets_BT, (long) microBatch * shape.batch());
            }
        };
        return UploadedBatches.of(onHost, backend);
    }

    ChunkRunner runner() {
        return runner;
    }

    /** That the runner leaves. */
    MicroBatchLosses losses() {
        return losses;
    }

    @Override
    public void close() {
        pool.close();
        store.close();
    }
}
