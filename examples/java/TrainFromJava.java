import io.penstock.engine.TrainingRun;
import io.penstock.engine.config.CheckpointConfig;
import io.penstock.engine.config.Config;
import io.penstock.engine.config.ConfigLoader;
import io.penstock.engine.config.DataConfig;
import io.penstock.engine.config.DataSource;
import io.penstock.engine.config.RunConfig;
import io.penstock.engine.config.TokenizerKind;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/**
 * A run from Java: the config from YAML, some of it from records; steps observed; stopped from another thread when the loss is low enough; resumed.
 *
 * <pre>
 * ./penstock doctor                        # builds, once
 * java $(sed -n 's/^penstock.jvm.flags=//p' jvm.properties) -cp 'engine/target/lib/*:engine/target/*' examples/java/TrainFromJava.java README.md /tmp/runs
 * </pre>
 */
public final class TrainFromJava {
    private static final String YAML = """
            run: {name: from-java}
            model:
              architecture: gpt2
              num_hidden_layers: 2
              hidden_size: 64
              num_attention_heads: 4
              max_position_embeddings: 32
              vocab_size: 256
            data: {source: .}
            training:
              steps: 400
              global_batch_size: 16
              micro_batch_size: 4
              sequence_length: 32
              optimizer: {learning_rate: 3.0e-3}
            parallelism: {pipeline: 2}
            cluster: {launch: threads}
            """;

    private TrainFromJava() {}

    /** The text to train on and the folder for the run. */
    public static void main(String[] arguments) throws InterruptedException, ExecutionException {
        Config config = config(Path.of(arguments[0]), Path.of(arguments[1]));

        CountDownLatch lowLoss = new CountDownLatch(1);
        TrainingRun run = TrainingRun.of(config)
                .listener(step -> {
                    if (step.loss() < 4) {
                        lowLoss.countDown();
                    }
                })
                .prepare();
        System.out.printf(Locale.ROOT, "%,d parameters on %d ranks%n", run.model().parameterCount(), run.plan().memory().size());

        // A listener could stop the run itself; here another thread does, as a button or a time limit would.
        FutureTask<TrainingRun.Result> training = new FutureTask<>(run::train);
        Thread trainer = Thread.ofPlatform().name("trainer").start(training);
        lowLoss.await();
        run.stop();
        TrainingRun.Result result = training.get();
        trainer.join();
        System.out.println((result.stopped() ? "stopped" : "done") + " after step " + result.steps() + ": " + result.checkpoint());

        TrainingRun.Result more = TrainingRun.of(withSteps(config, result.steps() + 5))
                .resume(result.checkpoint())
                .listener(step -> System.out.printf(Locale.ROOT, "step %d loss %.3f%n", step.step(), step.loss()))
                .prepare()
                .train();
        System.out.println("done after step " + more.steps() + ": " + more.checkpoint());
    }

    /** What varies is said in records; the rest is the YAML's. */
    private static Config config(Path text, Path runs) {
        Config base = ConfigLoader.parse(YAML, "TrainFromJava", Path.of("").toAbsolutePath(), List.of());
        return new Config(
                new RunConfig("from-java", runs, 1),
                base.model(),
                new DataConfig(DataSource.of(text), List.of(), TokenizerKind.BYTES, 0.05),
                base.training(),
                base.parallelism(),
                base.cluster(),
                new CheckpointConfig(0, 2),
                base.logging());
    }

    private static Config withSteps(Config config, int steps) {
        return ConfigLoader.parse(config.toYaml(), "TrainFromJava", Path.of("").toAbsolutePath(), List.of("training.steps=" + steps));
    }
}
