package io.penstock.engine.training;

import io.penstock.engine.config.Config;
import io.penstock.engine.config.ConfigModels;
import io.penstock.engine.config.GivenOrder;
import io.penstock.engine.config.Layout;
import io.penstock.engine.config.TrainingConfig;
import io.penstock.engine.config.yaml.Place;
import io.penstock.engine.config.yaml.Problems;
import io.penstock.engine.execution.BatchSource;
import io.penstock.engine.optimizer.AdamW;
import io.penstock.engine.optimizer.LearningRateSchedule;
import io.penstock.models.MicroBatchShape;
import io.penstock.models.ModelSpec;
import io.penstock.models.Recomputation;
import io.penstock.models.data.DataException;
import io.penstock.models.data.DataRequest;
import io.penstock.models.data.SequenceSampler;
import io.penstock.models.data.TokenData;
import io.penstock.models.data.TokenSpan;
import io.penstock.models.parallel.TensorSplit;
import io.penstock.models.tokens.Tokenizer;
import io.penstock.models.tokens.Tokenizers;
import io.penstock.partitioner.CostModel;
import io.penstock.partitioner.Partition;
import io.penstock.partitioner.Plan;
import io.penstock.partitioner.Plan.StageLayers;
import io.penstock.partitioner.PlanException;
import io.penstock.partitioner.Planner;
import io.penstock.partitioner.RecomputationChoice;
import io.penstock.partitioner.Techniques;
import io.penstock.partitioner.schedule.Schedule;
import io.penstock.partitioner.schedule.Schedules;
import io.penstock.tensor.DType;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** What a config means: model, data and hyperparameters. The same on every rank, for it is a function of the config and its files alone. Owns the mapped data. */
public final class RunSetup implements AutoCloseable {
    private final Config config;
    private final ModelSpec model;
    private final Tokenizer tokenizer;
    private final TokenData data;

    private RunSetup(Config config, ModelSpec model, Tokenizer tokenizer, TokenData data) {
        this.config = config;
        this.model = model;
        this.tokenizer = tokenizer;
        this.data = data;
    }

    /** Reads the data, tokenising it if no run has before. Throws {@link DataException} or {@link io.penstock.engine.config.yaml.ConfigException} for data that cannot be trained on. */
    public static RunSetup open(Config config) {
        return open(config, Optional.empty());
    }

    /** The same with another model than the config's. */
    public static RunSetup open(Config config, Optional<ModelSpec> custom) {
        ModelSpec model = custom.orElseGet(() -> model(config));
        Tokenizer tokenizer = tokenizer(config);
        Path cache = config.run().directory().resolve(".tokens");
        TokenData data = TokenData.open(
                new DataRequest(
                        config.data().source().path(),
                        config.data().extensions(),
                        config.data().validationFraction(),
                        config.run().seed(),
                        cache),
                tokenizer,
                model.config().vocabSize());
        RunSetup setup = new RunSetup(config, model, tokenizer, data);
        Problems problems = new Problems();
        setup.check(setup::training, problems);
        setup.check(setup::validation, problems);
        if (!problems.isEmpty()) {
            data.close();
        }
        problems.throwIfAny();
        return setup;
    }

    private void check(Runnable use, Problems problems) {
        try {
            use.run();
        } catch (DataException e) {
            problems.add(Place.of(config.data().source().path().toString()), String.valueOf(e.getMessage()));
        }
    }

    private static Tokenizer tokenizer(Config config) {
        String name = config.data().tokenizer().toString();
        return Tokenizers.find(name)
                .orElseThrow(
                        () -> new IllegalStateException("no tokenizer '" + name + "', known: " + Tokenizers.names()));
    }

    /** The layers alone; reads no data. */
    public static ModelSpec model(Config config) {
        return ConfigModels.model(config.model());
    }

    public ModelSpec model() {
        return model;
    }

    public Tokenizer tokenizer() {
        return tokenizer;
    }

    /** What rank {@code tensorRank} of those that share each layer holds of the whole model. Throws {@link ConfigException} for a model that cannot be shared so. */
    public static ModelSpec part(Config config, ModelSpec model, int tensorRank) {
        Layout layout = config.layout();
        if (layout.tensor() == 1) {
            return model;
        }
        Problems problems = new Problems();
        try {
            TensorSplit split = new TensorSplit(layout.tensor(), tensorRank, layout.sequenceParallel());
            return ConfigModels.family(model.config().architecture()).spec(model.config(), split);
        } catch (IllegalArgumentException e) {
            problems.add(Place.of("parallelism.tensor"), String.valueOf(e.getMessage()));
        }
        problems.throwIfAny();
        return model;
    }

    /**
     * The plan of the layout that the config gives, for the rank that holds {@code model}; of a whole model that is shared, for the first rank of a tensor group, whose part is the
     * largest. {@code workspaceBytes}: what one rank's backend holds for its kernels.
     */
    public static Plan plan(Config config, ModelSpec model, long workspaceBytes) {
        ModelSpec first = part(config, model, 0);
        ModelSpec mine = model.split().isWhole() ? first : model;
        Function<List<Recomputation>, Plan> planner = recomputation -> Planner.plan(
                mine,
                microBatch(config),
                compute(config),
                schedule(config, model),
                techniques(config, recomputation),
                stages(config, first, recomputation),
                workspaceBytes);
        try {
            return LayerRecomputation.given(config.layout(), model)
                    .map(planner)
                    .orElseGet(() -> RecomputationChoice.fit(mine, MemoryLimit.of(config), planner));
        } catch (ArithmeticException e) {
            // every product of sizes is exact or throws
            throw new PlanException("micro_batch_size=" + config.training().microBatchSize() + " * sequence_length="
                    + config.training().sequenceLength() + " tokens of hidden_size="
                    + model.config().hiddenSize() + ", vocab_size="
                    + model.config().vocabSize() + " in "
                    + model.layers().size() + " layers: bytes that a 64-bit number does not hold");
        }
    }

    /** As given, or by the time of the largest part, so that all ranks of a tensor group come to the same stages. */
    private static List<StageLayers> stages(Config config, ModelSpec largest, List<Recomputation> recomputation) {
        if (!config.layout().split().isEmpty()) {
            return GivenOrder.stages(config.layout().split());
        }
        DType compute = compute(config);
        double[] costs = CostModel.layerCosts(
                largest,
                microBatch(config),
                compute,
                techniques(config, recomputation),
                CostModel.DeviceRates.cpu(compute));
        return Partition.minimizeSlowestStage(costs, schedule(config, largest).stages());
    }

    private static MicroBatchShape microBatch(Config config) {
        return new MicroBatchShape(
                config.training().microBatchSize(), config.training().sequenceLength());
    }

    private static Schedule schedule(Config config, ModelSpec model) {
        Layout layout = config.layout();
        boolean tied = model.config().tieWordEmbeddings();
        return layout.scheduleFile()
                .map(file -> GivenOrder.read(file, tied))
                .orElseGet(() -> Schedules.create(
                        layout.schedule().toString(), layout.pipeline(), config.microBatches(), layout.chunks(), tied));
    }

    private static Techniques techniques(Config config, List<Recomputation> recomputation) {
        return new Techniques(config.sharding(), recomputation, config.layout().offloading());
    }

    /** The config of a plan of it: {@code activation_checkpointing: auto} as the plan has chosen, so that every rank does the same. */
    public static Config decided(Config config, ModelSpec model, Plan plan) {
        Layout layout = config.layout();
        return LayerRecomputation.isAuto(layout)
                ? config.with(
                        layout.withActivationCheckpointing(LayerRecomputation.words(model, plan)),
                        config.training().microBatchSize())
                : config;
    }

    /** The element type that {@code training.precision} computes in. */
    public static DType compute(Config config) {
        return switch (config.training().precision()) {
            case F32 -> DType.F32;
            case BF16 -> DType.BF16;
            case F16 -> DType.F16;
        };
    }

    public Hyperparameters hyperparameters() {
        TrainingConfig training = config.training();
        AdamW optimizer = new AdamW(
                training.optimizer().betas().get(0),
                training.optimizer().betas().get(1),
                training.optimizer().epsilon(),
                training.optimizer().weightDecay(),
                training.gradientClipping() == 0 ? Double.POSITIVE_INFINITY : training.gradientClipping());
        LearningRateSchedule.Decay decay =
                switch (training.learningRateSchedule().decay()) {
                    case CONSTANT -> LearningRateSchedule.Decay.CONSTANT;
                    case LINEAR -> LearningRateSchedule.Decay.LINEAR;
                    case COSINE -> LearningRateSchedule.Decay.COSINE;
                };
        return new Hyperparameters(
                optimizer,
                new LearningRateSchedule(
                        training.optimizer().learningRate(),
                        training.learningRateSchedule().warmupSteps(),
                        decay,
                        training.learningRateSchedule().finalFraction(),
                        training.steps()));
    }

    /** Sequence i of a step is the i-th of its global batch: shuffled windows, each epoch anew. */
    public BatchSource training() {
        long globalBatch = config.training().globalBatchSize();
        SequenceSampler sampler = SequenceSampler.shuffled(
                        data.training(),
                        config.training().sequenceLength(),
                        config.run().seed())
                .requireBatch(globalBatch);
        return new SampledBatches(
                sampler,
                (step, microBatch) -> step * globalBatch
                        + (long) microBatch * config.training().microBatchSize());
    }

    /** What {@link #validation} measures on. */
    public record Validation(BatchSource batches, int microBatches) {}

    /** Micro-batches evenly spread over the validation tokens, or over the training tokens where none are kept from training. */
    public Validation validation() {
        TokenSpan tokens = data.validation().orElse(data.training());
        SequenceSampler sampler =
                SequenceSampler.inOrder(tokens, config.training().sequenceLength());
        int batch = config.training().microBatchSize();
        long asked = config.training().validation().sequences();
        long sequences = asked == 0 ? sampler.windows() : Math.min(asked, sampler.windows());
        int microBatches = Math.toIntExact(Math.max(1, sequences / batch));
        return new Validation(
                new SampledBatches(sampler, (step, microBatch) -> microBatch * sampler.windows() / microBatches),
                microBatches);
    }

    @Override
    public void close() {
        data.close();
    }
}
