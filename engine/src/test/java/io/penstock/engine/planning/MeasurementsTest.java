package io.penstock.engine.planning;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class MeasurementsTest {
    @TempDir
    private Path folder = Path.of("");

    private Optional<Double> rate(MachinePlanner.Measure when, double measured) {
        return new Measurements(folder, when)
                .of(
                        "the key",
                        numbers -> Measurements.rate(numbers, "rate"),
                        () -> Optional.of(Measurements.numbers().put("rate", measured)));
    }

    private Path file() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.findFirst().orElseThrow();
        }
    }

    @Test
    void shouldGiveWhatIsKeptUnlessAskedToMeasureAnew() {
        assertEquals(Optional.empty(), rate(MachinePlanner.Measure.NEVER, 1));
        assertEquals(Optional.of(1.5), rate(MachinePlanner.Measure.ONCE, 1.5));
        assertEquals(Optional.of(1.5), rate(MachinePlanner.Measure.ONCE, 2));
        assertEquals(Optional.of(3.0), rate(MachinePlanner.Measure.ANEW, 3));
        assertEquals(Optional.of(3.0), rate(MachinePlanner.Measure.NEVER, 4));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "[]",
                "{\"key\": \"the key\"}",
                "{\"key\": \"the key\", \"rate\": \"7\"}",
                "{\"key\": \"the key\", \"rate\": 0}",
                "{\"key\": \"the key\", \"rate\": -7}",
                "{\"key\": \"the key\", \"rate\": 1e999}",
                "{\"key\": \"another\", \"rate\": 7}",
                "{\"key\": \"the key\", \"rate\": 7"
            })
    void shouldMeasureAgainWhatIsDamaged(String content) throws IOException {
        assertEquals(Optional.of(1.0), rate(MachinePlanner.Measure.ONCE, 1));
        Files.writeString(file(), content);
        assertEquals(Optional.empty(), rate(MachinePlanner.Measure.NEVER, 2));
        assertEquals(Optional.of(2.0), rate(MachinePlanner.Measure.ONCE, 2));
        assertEquals(Optional.of(2.0), rate(MachinePlanner.Measure.NEVER, 3));
    }

    @Test
    void shouldGoOnWithWhatItCannotKeep() throws IOException {
        Path file = Files.writeString(folder.resolve("file"), "no folder");
        Optional<Double> rate = new Measurements(file, MachinePlanner.Measure.ONCE)
                .of(
                        "the key",
                        numbers -> Measurements.rate(numbers, "rate"),
                        () -> Optional.of(Measurements.numbers().put("rate", 5.0)));
        assertEquals(Optional.of(5.0), rate);
        assertTrue(Files.isRegularFile(file));
    }
}
