package io.penstock.engine.planning;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.penstock.engine.planning.MachinePlanner.Measure;
import io.penstock.tensor.cuda.CudaProbe;
import io.penstock.tensor.cuda.CudaProbe.Device;
import io.penstock.tensor.cuda.CudaProbe.Library;
import io.penstock.tensor.cuda.CudaProbe.Report;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What was measured on one card is not taken for another. */
final class MachineKeyTest {
    private static final Device A = new Device(0, "NVIDIA A100-SXM4-80GB", 80, 81_920L << 20);
    private static final Device H = new Device(0, "NVIDIA H200", 90, 143_771L << 20);

    private static String key(int driver, String cublas, String module, Device... devices) {
        List<Library> libraries = List.of(
                new Library("libcuda.so.1", "GPU driver", Optional.of("/lib"), ""),
                new Library("libcublas.so.12", "cuBLAS", Optional.of("/lib").filter(l -> cublas.equals("12")), ""),
                new Library("libcublas.so.13", "cuBLAS", Optional.of("/lib").filter(l -> cublas.equals("13")), ""));
        return MachineKey.gpus(
                new Report(driver, List.of(devices), libraries, Optional.empty()),
                Optional.of(module).filter(words -> !words.isEmpty()));
    }

    @Test
    void shouldTellCardsDriversAndLibrariesApart() {
        Device partOfA = new Device(0, A.name(), A.capability(), A.memoryBytes() / 2);
        Device twin = new Device(1, H.name(), H.capability(), H.memoryBytes());
        Set<String> keys = new HashSet<>(List.of(
                key(13000, "13", "580.65.06", H),
                key(13000, "13", "580.65.06", A),
                key(13000, "13", "580.65.06", partOfA),
                key(13000, "13", "580.65.06", H, twin),
                key(12060, "13", "580.65.06", H),
                key(13000, "12", "580.65.06", H),
                key(13000, "13", "580.82.07", H),
                key(13000, "13", "", H)));
        assertEquals(8, keys.size(), keys::toString);
        assertEquals(key(13000, "13", "580.65.06", H), key(13000, "13", "580.65.06", H));
        assertTrue(keys.stream().noneMatch(String::isBlank));
        assertEquals("13.0", CudaProbe.version(13000));
    }

    private static Optional<String> card(Path folder, Measure when, Optional<ObjectNode> measured, Device... cards) {
        return new Measurements(folder, when)
                .of(key(13000, "13", "", cards), numbers -> numbers.path("card").asText(), () -> measured);
    }

    @Test
    void shouldMeasureAnotherCardAnew(@TempDir Path folder) {
        for (Device card : List.of(A, H)) {
            ObjectNode fresh = Measurements.numbers().put("card", card.name());
            assertEquals(Optional.of(card.name()), card(folder, Measure.ONCE, Optional.of(fresh), card));
            assertEquals(Optional.of(card.name()), card(folder, Measure.ONCE, Optional.empty(), card));
        }
        assertEquals(Optional.empty(), card(folder, Measure.NEVER, Optional.of(Measurements.numbers()), A, H));
        assertEquals(Optional.empty(), card(folder, Measure.ANEW, Optional.empty(), A));
    }
}
