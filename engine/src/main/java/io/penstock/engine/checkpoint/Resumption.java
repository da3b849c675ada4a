package io.penstock.engine.checkpoint;

import io.penstock.engine.config.Config;
import io.penstock.models.ModelSpec;
import java.nio.file.Path;

/** Whether a run can go on from a checkpoint, found out before a rank starts. */
public final class Resumption {
    private Resumption() {}

    /** Steps that the checkpoint has behind it; {@link CheckpointException} if it is damaged or of another run. */
    public static int stepsDone(Config config, ModelSpec model, Path checkpoint) {
        CheckpointManifest manifest = CheckpointManifest.read(checkpoint);
        manifest.verify(checkpoint);
        CheckpointReader.requireTrainable(checkpoint, model.config());
        if (manifest.seed() != config.run().seed()) {
            throw new CheckpointException(checkpoint + " was trained with run.seed=" + manifest.seed()
                    + ", the config says " + config.run().seed() + ": the data would come in another order");
        }
        if (manifest.step() >= config.training().steps()) {
            throw new CheckpointException(checkpoint + " has done " + manifest.step() + " steps, training.steps is "
                    + config.training().steps() + ": raise it to go on");
        }
        return manifest.step();
    }
}
