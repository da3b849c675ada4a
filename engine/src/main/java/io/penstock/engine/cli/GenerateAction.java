package io.penstock.engine.cli;

import io.penstock.engine.generation.Generator;
import io.penstock.engine.generation.LoadedModel;
import io.penstock.tensor.Backend;
import io.penstock.tensor.cpu.CpuBackend;
import java.io.PrintStream;

/** {@code penstock generate}. */
final class GenerateAction implements Action<GenerateCommand.Request> {
    private final PrintStream out;

    GenerateAction(PrintStream out) {
        this.out = out;
    }

    @Override
    public void run(GenerateCommand.Request request) {
        LoadedModel.requireWhole(request.checkpoint());
        try (Backend backend = new CpuBackend(Runtime.getRuntime().availableProcessors());
                LoadedModel model = LoadedModel.open(request.checkpoint(), 1, backend);
                Generator generator = new Generator(model, backend)) {
            out.print(request.prompt());
            Generator.Sampling sampling =
                    new Generator.Sampling(request.tokens(), request.temperature(), request.seed());
            generator.generate(request.prompt(), sampling, text -> {
                out.print(text);
                out.flush();
            });
            out.println();
        }
    }
}
