package io.penstock.tensor.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class NvmlTest {
    @Test
    void shouldReadWhatADeviceReports(@TempDir Path folder) throws IOException, InterruptedException {
        StandIns.compile(
                StandIns.compiler(),
                Tools.hostSources().resolve("nvml.c"),
                folder,
                "libnvidia-ml.so.1",
                "",
                StandIns.NAMELESS);
        try (Nvml nvml = Nvml.open(new LibraryFinder(false, List.of(folder))).orElseThrow()) {
            assertEquals(
                    List.of(new GpuReading(
                            0,
                            "Stand-in GPU",
                            Optional.of(87),
                            Optional.of(400L),
                            Optional.of(1000L),
                            Optional.of(61),
                            Optional.empty(),
                            List.of("software power cap", "hardware thermal slowdown"))),
                    nvml.read());
        }
    }

    @Test
    void shouldBeAbsentWithoutTheLibrary(@TempDir Path folder) {
        assertEquals(Optional.empty(), Nvml.open(new LibraryFinder(false, List.of(folder))));
    }
}
