package io.penstock.engine.system;

import io.penstock.engine.TrainingRun;
import io.penstock.engine.config.Config;
import io.penstock.engine.config.ConfigLoader;
import io.penstock.tensor.cuda.StandInMachine;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;

/** Trains with the overrides of each argument on a stand-in GPU, and prints for each run how often the thread of rank 0 waited for the device in each step but the first. */
final class HostWaitsRun {
    private HostWaitsRun() {}

    public static void main(String[] arguments) {
        LongSupplier waits = StandInMachine.hostWaits();
        for (String overrides : arguments) {
            Config config = ConfigLoader.load(Path.of("c.yaml"), List.of(overrides.split(" ", -1)));
            List<Long> until = new ArrayList<>();
            TrainingRun.of(config)
                    .listener(step -> until.add(waits.getAsLong()))
                    .prepare()
                    .train();
            List<Long> ofSteps = new ArrayList<>();
            for (int i = 1; i < until.size(); i++) {
                ofSteps.add(until.get(i) - until.get(i - 1));
            }
            System.out.println("waits " + ofSteps);
        }
    }
}
