package io.penstock.engine.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.penstock.engine.checkpoint.CheckpointException;
import io.penstock.engine.checkpoint.CheckpointReader;
import io.penstock.engine.checkpoint.Resumption;
import io.penstock.engine.config.Config;
import io.penstock.engine.config.ConfigLoader;
import io.penstock.engine.config.Launch;
import io.penstock.engine.device.Devices;
import io.penstock.engine.generation.Generator;
import io.penstock.engine.generation.LoadedModel;
import io.penstock.engine.launch.Job;
import io.penstock.engine.launch.Launcher;
import io.penstock.engine.planning.Budget;
import io.penstock.engine.planning.MachinePlan;
import io.penstock.engine.planning.MachinePlanner;
import io.penstock.engine.planning.MachineReport;
import io.penstock.engine.run.PlanJson;
import io.penstock.engine.run.Progress;
import io.penstock.engine.run.RunDirectory;
import io.penstock.engine.run.RunReporter;
import io.penstock.engine.run.Terminal;
import io.penstock.engine.run.TimesFile;
import io.penstock.engine.training.FittingPlan;
import io.penstock.engine.training.RunSetup;
import io.penstock.models.ModelSpec;
import io.penstock.partitioner.Plan;
import io.penstock.partitioner.render.PlanText;
import io.penstock.partitioner.simulate.Timeline;
import io.penstock.tensor.Backend;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** {@code penstock train}: everything is checked before a rank starts, then all ranks run, then what came out is shown. */
final class TrainAction implements Action<TrainCommand.Request> {
    private static final double SAMPLE_TEMPERATURE = 0.8;
    private static final String LATEST = "latest";

    private final PrintStream out;

    TrainAction(PrintStream out) {
        this.out = out;
    }

    @Override
    public void run(TrainCommand.Request request) throws IOException {
        Devices.require(request.config().cluster().device());
        Optional<Path> resume = request.resume().map(words -> checkpoint(request.config(), words));
        Config config =
                FittingPlan.decided(request.config().isAuto() ? choose(request.config(), resume) : request.config());
        boolean tells = Launcher.tells(config);
        Plan plan;
        int stepsDone;
        try (RunSetup setup = RunSetup.open(config)) {
            stepsDone = resume.map(path -> Resumption.stepsDone(config, setup.model(), path))
                    .orElse(0);
            plan = FittingPlan.of(config, setup.model());
            if (tells) {
                describe(config, setup.model(), plan);
            }
        }
        if (!tells) {
            follow(config, resume);
            return;
        }
        RunDirectory directory = directory(config, resume);
        Files.writeString(directory.config(), config.toYaml());
        Files.writeString(directory.plan(), PlanJson.write(plan, RunSetup.model(config)));
        resume.ifPresent(path -> out.println("resuming after step " + stepsDone + " from " + path));
        launch(new Job(config, directory, resume), stepsDone);
        timeline(config, directory, plan);
        finish(config, directory);
    }

    /** The fastest layout that fits; a run that goes on keeps the one it was begun with. */
    private Config choose(Config config, Optional<Path> resume) {
        Optional<Path> before = resume.flatMap(RunDirectory::ofCheckpoint)
                .map(RunDirectory::config)
                .filter(Files::exists);
        if (before.isPresent()) {
            Config begun = ConfigLoader.load(before.get(), List.of());
            return config.with(begun.layout(), begun.training().microBatchSize());
        }
        List<MachinePlan> best = MachinePlanner.best(config, MachinePlanner.Measure.ONCE);
        out.printf(
                Locale.ROOT,
                "parallelism: auto takes %s (times by %s)%n",
                best.getFirst().layout(),
                best.getFirst().basis());
        return best.getFirst().config();
    }

    /** A rank of an outside launcher that is not the first: it shares the run's folder and leaves the talking to rank 0. */
    private static void follow(Config config, Optional<Path> resume) {
        RunDirectory directory = resume.flatMap(RunDirectory::ofCheckpoint)
                .orElseGet(() -> RunDirectory.shared(
                        config.run().directory().toAbsolutePath(), config.run().name()));
        RunLogs.process(directory.log(Launcher.rankHere(config)));
        Launcher.of(config).run(new Job(config, directory, resume), new NoListener());
    }

    private void describe(Config config, ModelSpec model, Plan plan) {
        long largest = plan.memory().stream()
                .mapToLong(memory -> memory.totalBytes())
                .max()
                .orElseThrow();
        out.printf(
                Locale.ROOT,
                "%s: %s parameters, %s, %d stages on %d ranks (%s), schedule %s%n",
                model.config().architecture(),
                PlanText.count((double) model.parameterCount()),
                config.training().precision(),
                config.layout().stages(),
                config.layout().ranks(),
                config.cluster().launch(),
                plan.schedule().name());
        out.print(PlanText.layout(plan, model));
        out.print(PlanText.memory(
                plan,
                config.cluster().memoryPerRank().map(limit -> limit.bytes()).orElse(largest)));
        long tokens = plan.microBatch().rows() * plan.schedule().microBatches();
        out.printf(
                Locale.ROOT,
                "%,d tokens a step in %d micro-batches of %d x %d, %d steps: %,d tokens%n",
                tokens,
                plan.schedule().microBatches(),
                plan.microBatch().batch(),
                plan.microBatch().sequence(),
                config.training().steps(),
                tokens * config.training().steps());
    }

    private static Path checkpoint(Config config, String words) {
        if (words.equals(LATEST)) {
            RunDirectory run = RunDirectory.latest(
                            config.run().directory(), config.run().name())
                    .orElseThrow(() -> new CheckpointException("no run '"
                            + config.run().name() + "' in " + config.run().directory() + " to resume"));
            return CheckpointReader.latest(run.checkpoints())
                    .orElseThrow(
                            () -> new CheckpointException(run.checkpoints() + " has no whole checkpoint to resume"));
        }
        return Path.of(words).toAbsolutePath().normalize();
    }

    /** Of a checkpoint in its run's folder: that run; else a new one. */
    private static RunDirectory directory(Config config, Optional<Path> resume) throws IOException {
        Optional<RunDirectory> owner = resume.flatMap(RunDirectory::ofCheckpoint);
        if (owner.isPresent()) {
            owner.get().prepare();
            return owner.get();
        }
        Path parent = config.run().directory().toAbsolutePath();
        String name = config.run().name();
        return config.cluster().launch() == Launch.ENVIRONMENT
                ? RunDirectory.claim(parent, name)
                : RunDirectory.create(parent, name);
    }

    private void launch(Job job, int stepsDone) throws IOException {
        Config config = job.config();
        for (int rank = 0; rank < config.layout().ranks() && config.cluster().launch() == Launch.THREADS; rank++) {
            RunLogs.thread(job.directory().log(rank), rank);
        }
        if (config.cluster().launch() == Launch.PROCESSES) {
            // Rank 0 reports from its own process.
            Launcher.of(config).run(job, new NoListener());
            return;
        }
        if (config.cluster().launch() == Launch.ENVIRONMENT) {
            RunLogs.process(job.directory().log(0));
        }
        try (RunReporter reporter = reporter(job, stepsDone, Terminal.present(), out)) {
            Launcher.of(config).run(job, reporter);
        }
    }

    static RunReporter reporter(Job job, int stepsDone, boolean terminal, PrintStream out) throws IOException {
        Config config = job.config();
        Progress progress = new Progress(
                out, terminal, config.training().steps(), config.logging().every());
        return RunReporter.open(
                job.directory(), stepsDone, progress, out, config.cluster().device());
    }

    /** Measured beside predicted, if asked for. */
    private void timeline(Config config, RunDirectory directory, Plan plan) throws IOException {
        Map<String, Timeline> measured =
                config.logging().timeline() ? TimesFile.read(directory, plan.schedule()) : Map.of();
        if (!measured.isEmpty()) {
            MachineReport report = new MachineReport(
                    MachinePlanner.best(config, MachinePlanner.Measure.NEVER),
                    new Budget(config.training().steps(), 0));
            Files.writeString(directory.timeline(), report.html(measured));
            Files.writeString(directory.trace(), report.trace(measured));
        }
    }

    private void finish(Config config, RunDirectory directory) throws IOException {
        Path checkpoint = CheckpointReader.latest(directory.checkpoints())
                .orElseThrow(() -> new CheckpointException(directory.checkpoints() + " has no checkpoint"));
        validationLoss(directory)
                .ifPresent(loss -> out.printf(Locale.ROOT, "%nvalidation loss %.4f nats a token%n", loss));
        out.println("run        " + directory.root());
        if (Files.exists(directory.timeline())) {
            out.println("timeline   " + directory.timeline());
        }
        out.println("checkpoint " + checkpoint);
        if (config.logging().sampleTokens() > 0) {
            out.println("sample     " + config.logging().samplePrompt() + "...");
            out.println();
            sample(config, checkpoint);
        }
    }

    private static Optional<Double> validationLoss(RunDirectory directory) throws IOException {
        ObjectMapper mapper = new ObjectMapper();
        List<String> lines = Files.readAllLines(directory.metrics());
        for (String line : lines.reversed()) {
            if (line.contains("validation_loss")) {
                return Optional.of(mapper.readTree(line).path("validation_loss").asDouble(Double.NaN));
            }
        }
        return Optional.empty();
    }

    /** With all that the run's device has, now that its ranks are gone. */
    private void sample(Config config, Path checkpoint) {
        try (Backend backend = Devices.openAlone(config.cluster().device(), LoadedModel.COMPUTE);
                LoadedModel model = LoadedModel.open(checkpoint, 1, backend);
                Generator generator = new Generator(model, backend)) {
            out.print(config.logging().samplePrompt());
            generator.generate(
                    config.logging().samplePrompt(),
                    new Generator.Sampling(
                            config.logging().sampleTokens(),
                            SAMPLE_TEMPERATURE,
                            config.run().seed()),
                    out::print);
            out.println();
        }
    }
}
