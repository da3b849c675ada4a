package io.penstock.engine.launch;

import io.penstock.engine.checkpoint.CheckpointManifest;
import io.penstock.engine.checkpoint.CheckpointReader;
import io.penstock.engine.checkpoint.CheckpointWriter;
import io.penstock.engine.config.Config;
import io.penstock.engine.config.ConfigModels;
import io.penstock.engine.config.OffloadStoreConfig;
import io.penstock.engine.device.Devices;
import io.penstock.engine.execution.DivergedException;
import io.penstock.engine.offload.ShardStore;
import io.penstock.engine.offload.ShardStores;
import io.penstock.engine.offload.StoreSettings;
import io.penstock.engine.run.TimesFile;
import io.penstock.engine.training.PipelineRank;
import io.penstock.engine.training.RankTrainer;
import io.penstock.engine.training.RunSetup;
import io.penstock.engine.training.StepListener;
import io.penstock.models.ModelSpec;
import io.penstock.partitioner.Plan;
import io.penstock.tensor.Backend;
import io.penstock.tensor.MemoryLedger;
import io.penstock.tensor.TensorTable;
import io.penstock.transport.Endpoint;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What every rank does, however it was started: set up, train, and leave in good order or say why not. */
final class RankBody {
    private static final Logger LOG = LoggerFactory.getLogger(RankBody.class);

    private RankBody() {}

    /** Trains as {@code job} says and closes {@code endpoint}. {@code listener} is told on rank 0. */
    static void run(Job job, Endpoint endpoint, StepListener listener) {
        try (endpoint) {
            try {
                train(job, endpoint, listener);
                endpoint.announceDone();
            } catch (DivergedException e) {
                // Every rank finds it from the same numbers: nobody is lost.
                endpoint.announceDone();
                throw e;
            } catch (RuntimeException | Error e) {
                LOG.error("rank {} fails", endpoint.rank(), e);
                endpoint.announceFailure(e.getMessage() == null ? e.toString() : e.getMessage());
                throw e;
            }
        }
    }

    private static void train(Job job, Endpoint endpoint, StepListener listener) {
        Config config = job.config();
        long limit = config.cluster().memoryPerRank().map(size -> size.bytes()).orElse(Long.MAX_VALUE);
        try (RunSetup setup = RunSetup.open(config, job.model());
                Backend backend = Devices.open(config.cluster(), endpoint.rank(), RunSetup.compute(config))) {
            MemoryLedger ledger = new MemoryLedger(backend::allocate, limit - backend.workspaceBytes());
            ModelSpec model =
                    RunSetup.part(config, setup.model(), config.layout().axes().tensorRank(endpoint.rank()));
            Plan plan = RunSetup.plan(config, model, backend.workspaceBytes());
            try (PipelineRank rank = new PipelineRank(
                    model,
                    plan,
                    setup.hyperparameters(),
                    backend,
                    ledger,
                    endpoint,
                    setup.training(),
                    store(job, endpoint.rank(), backend))) {
                LOG.info(
                        "rank {} of {} on {}, {} bytes planned, {} allocated, {} offloaded",
                        endpoint.rank(),
                        endpoint.worldSize(),
                        backend.description(),
                        plan.memory()
                                .get(plan.axes().pipelineRank(endpoint.rank()))
                                .totalBytes(),
                        ledger.totalBytes() + backend.workspaceBytes(),
                        rank.offloadedBytes());
                boolean timed = config.logging().timeline() && rank.createsShard();
                if (timed) {
                    rank.followDevice();
                }
                int firstStep = load(job, rank);
                RunSetup.Validation validation = setup.validation();
                new RankTrainer(
                                rank,
                                endpoint.rank(),
                                new RankTrainer.Span(
                                        firstStep,
                                        config.training().steps(),
                                        config.training().validation().every(),
                                        config.checkpoint().every()),
                                rank.evaluation(validation.batches(), validation.microBatches()),
                                new CheckpointWriter(
                                        job.directory(),
                                        setup.model().config(),
                                        setup.tokenizer(),
                                        config.run().seed(),
                                        config.checkpoint().keep()),
                                listener,
                                job.stop())
                        .run();
                if (timed) {
                    TimesFile.write(job.directory().times(plan.axes().pipelineRank(endpoint.rank())), rank.times());
                }
                rank.barrier();
            }
        }
    }

    /** Opens the place of what a rank offloads. */
    private static Function<TensorTable, ShardStore> store(Job job, int rank, Backend backend) {
        OffloadStoreConfig where = job.config().cluster().offloadStore();
        Path directory = where.directory().orElse(job.directory().root());
        StoreSettings settings = new StoreSettings(directory, rank);
        return backend.copies()
                .<Function<TensorTable, ShardStore>>map(device -> table -> ShardStores.open(device, settings, table))
                .orElse(table -> ShardStores.open(where.kind(), settings, table));
    }

    /** Steps done before. */
    private static int load(Job job, PipelineRank rank) {
        Optional<Path> resume = job.resume();
        Optional<Path> pretrained = ConfigModels.pretrained(job.config().model());
        if (resume.isPresent()) {
            CheckpointReader.readAll(resume.get(), rank.store());
            rank.valuesChanged();
            CheckpointManifest manifest = CheckpointManifest.read(resume.get());
            manifest.lossScale().ifPresent(rank.lossScale()::resume);
            return manifest.step();
        }
        if (pretrained.isPresent()) {
            CheckpointReader.readWeights(pretrained.get(), rank.store());
            rank.valuesChanged();
        } else {
            rank.initialize(job.config().run().seed());
        }
        return 0;
    }
}
