package io.penstock.engine.cli;

import io.penstock.engine.device.Devices;
import io.penstock.engine.generation.Generator;
import io.penstock.engine.generation.LoadedModel;
import io.penstock.tensor.Backend;
import java.io.PrintStream;

/** {@code penstock generate}. */
final class GenerateAction implements Action<GenerateCommand.Request> {
    static final String DEVICE = "--device cuda";

    private final PrintStream out;

    GenerateAction(PrintStream out) {
        this.out = out;
    }

    @Override
    public void run(GenerateCommand.Request request) {
        Devices.require(request.device(), DEVICE);
        LoadedModel.requireWhole(request.checkpoint());
        try (Backend backend = Devices.openAlone(request.device(), LoadedModel.COMPUTE);
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
