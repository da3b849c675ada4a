package io.penstock.engine.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.penstock.engine.optimizer.LossScale;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class CheckpointManifestTest {
    @TempDir
    Path folder = Path.of("");

    private CheckpointManifest written(Optional<LossScale.State> scale) throws IOException {
        CheckpointManifest.of(folder, 100, 7, 6400, scale).write(folder);
        return CheckpointManifest.read(folder);
    }

    @Test
    void shouldKeepTheLossScale() throws IOException {
        Optional<LossScale.State> scale = Optional.of(new LossScale.State(LossScale.MOST, 98, 2));
        assertEquals(
                new CheckpointManifest(100, 7, 6400, scale, written(scale).files()), CheckpointManifest.read(folder));
    }

    @Test
    void shouldSayNothingOfAScaleWhereThereIsNone() throws IOException {
        assertEquals(Optional.empty(), written(Optional.empty()).lossScale());
        assertFalse(Files.readString(folder.resolve("manifest.json")).contains("loss_scale"));
    }

    @Test
    void shouldRefuseAScaleThatIsNone() throws IOException {
        written(Optional.of(LossScale.State.INITIAL));
        Path file = folder.resolve("manifest.json");
        Files.writeString(file, Files.readString(file).replace("65536", "65537"));
        CheckpointException error = assertThrows(CheckpointException.class, () -> CheckpointManifest.read(folder));
        assertTrue(String.valueOf(error.getMessage()).contains("loss scale 65537.0"), error.getMessage());
    }
}
