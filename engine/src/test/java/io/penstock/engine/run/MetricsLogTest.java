package io.penstock.engine.run;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.penstock.tensor.cuda.GpuReading;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class MetricsLogTest {
    private static final StepMetrics STEP = new StepMetrics(1, 2.5, 64, 128, 0.5, 0.001, 0.5, Optional.empty());
    private static final String LINE =
            "{\"step\":1,\"loss\":2.5,\"tokens\":64,\"tokens_per_second\":128.0,\"grad_norm\":0.5,\"learning_rate\":0.001,\"step_seconds\":0.5";

    @Test
    void shouldSayNothingOfGpusWhereThereAreNone(@TempDir Path folder) throws IOException {
        assertEquals(LINE + "}\n", logged(folder, List.of()));
    }

    @Test
    void shouldTellWhatEachGpuReports(@TempDir Path folder) throws IOException {
        GpuReading busy = new GpuReading(
                0,
                "Some GPU",
                Optional.of(87),
                Optional.of(400L),
                Optional.of(1000L),
                Optional.of(61),
                Optional.of(399.5),
                List.of("software power cap"));
        GpuReading silent = new GpuReading(
                1,
                "Some GPU",
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                List.of());
        assertEquals(
                LINE
                        + ",\"gpus\":[{\"index\":0,\"utilization_percent\":87,\"memory_used_bytes\":400,\"temperature_celsius\":61,\"power_watts\":399.5,\"throttle_reasons\":[\"software"
                        + " power cap\"]},{\"index\":1,\"throttle_reasons\":[]}]}\n",
                logged(folder, List.of(busy, silent)));
    }

    @Test
    void shouldTellOfTheLossScaleAndOfStepsThatWereSkipped(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("metrics.jsonl");
        try (MetricsLog log = MetricsLog.open(file, 0, List::of)) {
            log.step(new StepMetrics(
                    1,
                    2.5,
                    64,
                    128,
                    Double.POSITIVE_INFINITY,
                    0.001,
                    0.5,
                    Optional.of(new ScaledStep(65536, true, 1))));
        }
        assertEquals(
                LINE.replace("\"grad_norm\":0.5", "\"grad_norm\":null")
                        + ",\"loss_scale\":65536,\"skipped\":true,\"skipped_steps\":1}\n",
                Files.readString(file));
    }

    @Test
    void shouldWriteNullForALossThatIsNoNumber(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("metrics.jsonl");
        try (MetricsLog log = MetricsLog.open(file, 0, List::of)) {
            log.validation(4, Double.NaN);
        }
        assertEquals("{\"step\":4,\"validation_loss\":null}\n", Files.readString(file));
    }

    private static String logged(Path folder, List<GpuReading> gpus) throws IOException {
        Path file = folder.resolve("metrics.jsonl");
        try (MetricsLog log = MetricsLog.open(file, 0, () -> gpus)) {
            log.step(STEP);
        }
        return Files.readString(file);
    }
}
