package io.penstock.engine.cli;

import io.penstock.engine.config.DataSource;
import io.penstock.engine.device.Devices;
import io.penstock.engine.generation.Evaluator;
import io.penstock.engine.generation.LoadedModel;
import io.penstock.models.ModelConfig;
import io.penstock.models.data.DataRequest;
import io.penstock.models.data.TokenData;
import io.penstock.models.tokens.Tokenizers;
import io.penstock.models.weights.ModelFolder;
import io.penstock.tensor.Backend;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/** {@code penstock evaluate}: all of the data, nothing kept aside. */
final class EvaluateAction implements Action<EvaluateCommand.Request> {
    private static final int LARGEST_BATCH = 8;

    private final PrintStream out;

    EvaluateAction(PrintStream out) {
        this.out = out;
    }

    @Override
    public void run(EvaluateCommand.Request request) throws IOException {
        Devices.require(request.device(), GenerateAction.DEVICE);
        DataSource source = request.data().equals(DataSource.AERON_SOURCES)
                ? DataSource.aeronSources()
                : DataSource.of(Path.of(request.data()));
        List<String> extensions = source.name().isPresent() ? List.of(".java") : List.of();
        LoadedModel.requireWhole(request.checkpoint());
        ModelConfig shape = ModelFolder.config(request.checkpoint());
        Path cache = Files.createTempDirectory("penstock-evaluate");
        try (TokenData data = TokenData.open(
                        new DataRequest(source.path(), extensions, 0, 0, cache),
                        Tokenizers.load(request.checkpoint()),
                        shape.vocabSize());
                Backend backend = Devices.openAlone(request.device(), LoadedModel.COMPUTE);
                LoadedModel model = LoadedModel.open(
                        request.checkpoint(),
                        Evaluator.batch(data.training(), shape.maxPositionEmbeddings(), LARGEST_BATCH),
                        backend)) {
            Evaluator.Result result = Evaluator.evaluate(model, data.training());
            if (request.json()) {
                out.printf(
                        Locale.ROOT,
                        "{\"loss\": %.6f, \"perplexity\": %.6f, \"tokens\": %d}%n",
                        result.loss(),
                        result.perplexity(),
                        result.tokens());
            } else {
                out.printf(
                        Locale.ROOT,
                        "loss %.4f nats a token, perplexity %.3f, over %,d tokens of %s%n",
                        result.loss(),
                        result.perplexity(),
                        result.tokens(),
                        source);
            }
        } finally {
            delete(cache);
        }
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> paths = Files.walk(folder)) {
            for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }
}
