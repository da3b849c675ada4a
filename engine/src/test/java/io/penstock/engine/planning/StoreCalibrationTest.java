package io.penstock.engine.planning;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.penstock.engine.config.Config;
import io.penstock.engine.config.ConfigLoader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalDouble;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A store is timed once, and what was not measured is not kept. */
final class StoreCalibrationTest {
    @TempDir
    private Path folder = Path.of("");

    @BeforeEach
    void writeText() throws IOException {
        Files.writeString(folder.resolve("text.txt"), "How fast is it there?");
    }

    private StoreCalibration calibration(String directory, MachinePlanner.Measure when) {
        Config config = ConfigLoader.parse("""
                run: {name: small}
                model: {architecture: gpt2, num_hidden_layers: 2, hidden_size: 32, num_attention_heads: 2, max_position_embeddings: 16, vocab_size: 256}
                data: {source: text.txt}
                training: {steps: 2, global_batch_size: 4, micro_batch_size: 2, sequence_length: 16}
                parallelism: {pipeline: 1, offload: optimizer}
                cluster: {offload_store: {kind: files, directory: %s}}
                """.formatted(folder.resolve(directory)), "c.yaml", folder, List.of());
        return new StoreCalibration(config, "some CPU", new Measurements(folder.resolve("kept"), when));
    }

    private long kept() throws IOException {
        if (Files.notExists(folder.resolve("kept"))) {
            return 0;
        }
        try (Stream<Path> files = Files.list(folder.resolve("kept"))) {
            return files.count();
        }
    }

    @Test
    void shouldMeasureOnceAndKeepIt() throws IOException {
        StoreCalibration first = calibration("store", MachinePlanner.Measure.ANEW);
        OptionalDouble rate = first.bytesPerSecond();
        assertTrue(rate.orElse(0) > 0, rate::toString);
        assertEquals(1, kept());
        assertEquals(rate, calibration("store", MachinePlanner.Measure.NEVER).bytesPerSecond());
        assertEquals(
                OptionalDouble.empty(),
                calibration("elsewhere", MachinePlanner.Measure.NEVER).bytesPerSecond());
        removeKept();
        assertEquals(rate, first.bytesPerSecond());
        assertEquals(0, kept(), "measured again");
    }

    private void removeKept() throws IOException {
        try (Stream<Path> files = Files.list(folder.resolve("kept"))) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
    }

    @Test
    void shouldKeepNothingWhereNoStoreCanBeHad() throws IOException {
        Files.writeString(folder.resolve("file"), "no folder");
        assertEquals(
                OptionalDouble.empty(),
                calibration("file/store", MachinePlanner.Measure.ANEW).bytesPerSecond());
        assertEquals(0, kept());
    }
}
