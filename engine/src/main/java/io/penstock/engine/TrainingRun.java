package io.penstock.engine;

import io.penstock.engine.checkpoint.CheckpointManifest;
import io.penstock.engine.checkpoint.CheckpointReader;
import io.penstock.engine.checkpoint.Resumption;
import io.penstock.engine.config.Config;
import io.penstock.engine.config.ConfigModels;
import io.penstock.engine.config.Launch;
import io.penstock.engine.launch.Job;
import io.penstock.engine.launch.Launcher;
import io.penstock.engine.run.PlanJson;
import io.penstock.engine.run.Progress;
import io.penstock.engine.run.RunDirectory;
import io.penstock.engine.run.RunReporter;
import io.penstock.engine.training.FittingPlan;
import io.penstock.engine.training.RunSetup;
import io.penstock.engine.training.StepListener;
import io.penstock.engine.training.StopSignal;
import io.penstock.models.ModelSpec;
import io.penstock.partitioner.Plan;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A run from Java: the same as {@code penstock train}, without a command line, prints or an exit of the JVM. The config comes from records or from {@link
 * io.penstock.engine.config.ConfigLoader}; {@code cluster.launch} is {@code threads}, or {@code environment} where every process of an outside launcher makes the same calls.
 *
 * <pre>{@code
 * TrainingRun run = TrainingRun.of(config).listener(step -> plot(step.loss())).prepare();
 * TrainingRun.Result result = run.train();
 * }</pre>
 *
 * Ranks are threads that {@link #train} starts and that have ended when it returns.
 */
public final class TrainingRun {
    /** What a run can be told before it is checked. */
    public static final class Builder {
        private final Config config;
        private final List<StepListener> listeners = new ArrayList<>();
        private Optional<ModelSpec> model = Optional.empty();
        private Optional<Path> resume = Optional.empty();

        private Builder(Config config) {
            this.config = config;
        }

        /**
         * Trains this model instead of the config's, which still says sequence length and vocabulary. Its {@code config().architecture()} is a name of its own: checkpoints
         * carry it, and the command line refuses to take them for a model that it knows.
         */
        public Builder model(ModelSpec custom) {
            String name = custom.config().architecture();
            if (ConfigModels.architectures().contains(name)) {
                throw new IllegalArgumentException("a model of one's own needs an architecture name of its own: '"
                        + name + "' is Penstock's, and what reads its checkpoints would take them for that");
            }
            model = Optional.of(custom);
            return this;
        }

        /** Goes on from a checkpoint of the same model and seed. */
        public Builder resume(Path checkpoint) {
            resume = Optional.of(checkpoint.toAbsolutePath().normalize());
            return this;
        }

        /** Is told of steps, validation losses and checkpoints on rank 0's thread; what it throws ends the run. May be called again for more. */
        public Builder listener(StepListener listener) {
            listeners.add(listener);
            return this;
        }

        /**
         * Checks everything that can be checked before a rank starts.
         *
         * @throws io.penstock.engine.config.yaml.ConfigException with everything that is wrong with the config
         * @throws io.penstock.models.data.DataException if the data cannot be trained on
         * @throws io.penstock.engine.checkpoint.CheckpointException if the checkpoint cannot be gone on from
         * @throws io.penstock.engine.training.DoesNotFitException if a rank needs more than it may have
         * @throws io.penstock.engine.offload.StoreException if the disk has no room for what the ranks offload
         */
        public TrainingRun prepare() {
            if (config.isAuto()) {
                throw new IllegalArgumentException(
                        "parallelism: auto has no layout yet: take one of MachinePlanner.best(config, ...)");
            }
            if (config.cluster().launch() == Launch.PROCESSES) {
                throw new IllegalArgumentException(
                        "cluster.launch: processes starts JVMs with the command line's ranks; from Java use threads, or environment in"
                                + " processes of your own");
            }
            try (RunSetup setup = RunSetup.open(config, model)) {
                int stepsDone = resume.map(path -> Resumption.stepsDone(config, setup.model(), path))
                        .orElse(0);
                Plan plan = FittingPlan.of(config, setup.model());
                return new TrainingRun(
                        this, RunSetup.decided(config, setup.model(), plan), setup.model(), plan, stepsDone);
            }
        }
    }

    /**
     * How a run ended.
     *
     * @param steps done in all, those before a resumption included
     * @param stopped whether {@link #stop} ended it before its last step
     * @param folder of the run, with its {@code metrics.jsonl}
     * @param checkpoint after the last step
     */
    public record Result(int steps, boolean stopped, Path folder, Path checkpoint) {}

    private final Config config;
    private final Optional<ModelSpec> custom;
    private final Optional<Path> resume;
    private final List<StepListener> listeners;
    private final ModelSpec model;
    private final Plan plan;
    private final int stepsDone;
    private final StopSignal stop = new StopSignal();

    private TrainingRun(Builder builder, Config decided, ModelSpec model, Plan plan, int stepsDone) {
        this.config = decided;
        this.custom = builder.model;
        this.resume = builder.resume;
        this.listeners = List.copyOf(builder.listeners);
        this.model = model;
        this.plan = plan;
        this.stepsDone = stepsDone;
    }

    public static Builder of(Config config) {
        return new Builder(config);
    }

    public ModelSpec model() {
        return model;
    }

    /** Layers, schedule and memory of every rank. */
    public Plan plan() {
        return plan;
    }

    /**
     * Trains to the last step, or to the one that {@link #stop} leads to, on threads of its own, and returns when they have ended. Called once.
     *
     * @throws io.penstock.transport.PeerLostException if a rank was lost
     * @throws io.penstock.engine.execution.DivergedException if the loss is no number any more
     */
    public Result train() {
        try {
            boolean tells = Launcher.tells(config);
            RunDirectory directory = tells ? directory() : shared();
            Job job = new Job(config, directory, resume, custom, stop);
            if (!tells) {
                Launcher.of(config).run(job, step -> {});
                return result(directory);
            }
            Files.writeString(directory.config(), config.toYaml());
            Files.writeString(directory.plan(), PlanJson.write(plan, model));
            // The same files as the command line's; nothing is printed.
            PrintStream nowhere = new PrintStream(OutputStream.nullOutputStream());
            Progress silent = new Progress(nowhere, false, config.training().steps(), Integer.MAX_VALUE);
            try (RunReporter reporter = RunReporter.open(
                    directory, stepsDone, silent, nowhere, config.cluster().device())) {
                List<StepListener> told = new ArrayList<>(listeners);
                told.addFirst(reporter);
                Launcher.of(config).run(job, new Listeners(told));
            }
            return result(directory);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private RunDirectory directory() throws IOException {
        Optional<RunDirectory> owner = resume.flatMap(RunDirectory::ofCheckpoint);
        if (owner.isPresent()) {
            owner.get().prepare();
            return owner.get();
        }
        Path parent = config.run().directory().toAbsolutePath();
        return config.cluster().launch() == Launch.ENVIRONMENT
                ? RunDirectory.claim(parent, config.run().name())
                : RunDirectory.create(parent, config.run().name());
    }

    private RunDirectory shared() {
        return resume.flatMap(RunDirectory::ofCheckpoint)
                .orElseGet(() -> RunDirectory.shared(
                        config.run().directory().toAbsolutePath(), config.run().name()));
    }

    private Result result(RunDirectory directory) {
        Path checkpoint = CheckpointReader.latest(directory.checkpoints())
                .orElseThrow(() -> new IllegalStateException(directory.checkpoints() + " has no checkpoint"));
        int steps = CheckpointManifest.read(checkpoint).step();
        return new Result(steps, steps < config.training().steps(), directory.root(), checkpoint);
    }

    /**
     * Ends the run after the step that is under way or the next, with a checkpoint that it can be resumed from; returns at once. Any thread may call it, before {@link #train}
     * too. Only ranks of this JVM hear it.
     */
    public void stop() {
        if (config.cluster().launch() == Launch.ENVIRONMENT && config.layout().ranks() > 1) {
            throw new IllegalStateException("stop is heard by the ranks of one JVM, this one has 1 of "
                    + config.layout().ranks() + ": use cluster.launch: threads, or end its processes");
        }
        stop.request();
    }
}
