package io.penstock.engine.offload;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.penstock.engine.config.OffloadStoreKind;
import io.penstock.tensor.DType;
import io.penstock.tensor.Shape;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.TensorTable;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A process that is killed while it trains with a store, and the one that takes its place. */
@Tag("system")
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class KilledStoreTest {
    private static final TensorTable TABLE = TensorTable.builder()
            .add("m:h", DType.F32, Shape.of(8 << 20))
            .add("v:h", DType.F32, Shape.of(8 << 20))
            .build();

    private final Path directory;

    KilledStoreTest(@TempDir Path directory) {
        this.directory = directory;
    }

    /** Writes to its store, step after step, until it is killed. */
    static final class Writer {
        public static void main(String[] args) {
            ShardStore store =
                    ShardStores.open(OffloadStoreKind.valueOf(args[0]), new StoreSettings(Path.of(args[1]), 0), TABLE);
            System.out.println("open");
            Tensor m = store.tensor("m:h");
            for (int step = 1; ; step++) {
                store.acquire(m);
                m.segment().fill((byte) step);
                store.release(m);
            }
        }
    }

    private Process start(OffloadStoreKind kind) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(System.getProperty("java.home") + File.separator + "bin" + File.separator + "java");
        command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
        command.addAll(List.of(
                "-cp",
                System.getProperty("java.class.path"),
                Writer.class.getName(),
                kind.name(),
                directory.toString()));
        return new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
    }

    private void shouldOpenAnew(OffloadStoreKind kind) {
        Instant begin = Instant.now();
        try (ShardStore store = ShardStores.open(kind, new StoreSettings(directory, 0), TABLE)) {
            for (TensorTable.Entry entry : TABLE.entries()) {
                Tensor tensor = store.tensor(entry.name());
                for (long i = 0; i < tensor.elements(); i += 1021) {
                    assertEquals(0, tensor.get(i), "nothing of the killed process's bytes is trusted");
                }
            }
        }
        Duration took = Duration.between(begin, Instant.now());
        assertTrue(took.toSeconds() < 20, "took " + took + ": a map is not recovered, nor waited for");
    }

    @ParameterizedTest
    @EnumSource(names = {"FILES", "CHRONICLE_MAP"})
    void shouldLeaveNothingThatCouldBeTrusted(OffloadStoreKind kind) throws Exception {
        Process process = start(kind);
        try (BufferedReader out = process.inputReader()) {
            assertEquals("open", out.readLine());
            TimeUnit.MILLISECONDS.sleep(200);
            process.destroyForcibly().waitFor();
            try (Stream<Path> left = Files.list(directory)) {
                assertEquals(0, left.count());
            }
            shouldOpenAnew(kind);
        } finally {
            process.destroyForcibly();
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"FILES", "CHRONICLE_MAP"})
    void shouldOpenAfterAKillAtAnyMoment(OffloadStoreKind kind) throws Exception {
        for (int millis : new int[] {300, 600, 1000, 1500}) {
            Process process = start(kind);
            try {
                TimeUnit.MILLISECONDS.sleep(millis);
            } finally {
                process.destroyForcibly().waitFor();
            }
            try (Stream<Path> left = Files.walk(directory)) {
                long bytes = left.filter(Files::isRegularFile)
                        .mapToLong(file -> file.toFile().length())
                        .sum();
                // Killed in the moment in which a map is made, it leaves a sparse file that a later store sweeps.
                assertTrue(bytes == 0 || kind == OffloadStoreKind.CHRONICLE_MAP, bytes + " bytes left");
            }
        }
        shouldOpenAnew(kind);
    }
}
