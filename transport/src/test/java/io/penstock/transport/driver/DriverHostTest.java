package io.penstock.transport.driver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.penstock.transport.AeronSettings;
import io.penstock.transport.TransportException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class DriverHostTest {
    private static final int WINDOW = 1 << 20;

    private static List<Path> entries(Path directory) throws Exception {
        try (Stream<Path> list = Files.list(directory)) {
            return list.toList();
        }
    }

    @Test
    void shouldKeepItsDirectoryPrivateAndDeleteIt(@TempDir Path parent) throws Exception {
        try (DriverHost host = DriverHost.start(new DriverSettings(parent, "a job/x", 1 << 20, WINDOW))) {
            Path directory = entries(parent).getFirst();
            assertEquals("rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(directory)));
            assertTrue(Files.exists(host.directory().resolve("cnc.dat")), "no driver in " + host.directory());
        }
        assertEquals(List.of(), entries(parent));
    }

    @Test
    void shouldTakeNoMoreThanTheBudgetSays(@TempDir Path parent) throws Exception {
        long budget = new StreamBudget(0, 0, true).bytes(AeronSettings.DEFAULT);
        try (DriverHost host = DriverHost.start(new DriverSettings(parent, "job", budget, WINDOW));
                Stream<Path> files = Files.walk(host.directory())) {
            long bytes = files.filter(Files::isRegularFile)
                    .mapToLong(file -> file.toFile().length())
                    .sum();
            assertTrue(bytes <= budget && bytes > budget / 2, bytes + " bytes taken of " + budget);
        }
    }

    @Test
    void shouldSweepWhatDeadProcessesLeftAndNothingElse(@TempDir Path parent) throws Exception {
        Process dead = new ProcessBuilder("true").start();
        long deadPid = dead.pid();
        dead.waitFor();
        Path abandoned = Files.createDirectories(parent.resolve("penstock-" + deadPid + "-123-0-job"));
        Files.createFile(abandoned.resolve("owner.lock"));
        Files.createFile(Files.createDirectory(abandoned.resolve("aeron")).resolve("cnc.dat"));
        Path other = Files.createDirectory(parent.resolve("penstock-notes"));
        try (DriverHost first = DriverHost.start(new DriverSettings(parent, "one", 0, WINDOW));
                DriverHost second = DriverHost.start(new DriverSettings(parent, "two", 0, WINDOW))) {
            assertFalse(Files.exists(abandoned), "not swept");
            assertTrue(Files.exists(other), "swept what is not ours");
            assertTrue(Files.exists(first.directory().resolve("cnc.dat")), "swept a live driver");
            assertTrue(Files.exists(second.directory().resolve("cnc.dat")), "swept a live driver");
        }
        assertEquals(List.of(other), entries(parent));
    }

    @Test
    void shouldSayWhenNothingOfAProcessIsLeft(@TempDir Path parent) throws Exception {
        Process dead = new ProcessBuilder("true").start();
        dead.waitFor();
        Path abandoned = parent.resolve("penstock-" + dead.pid() + "-123-0-job");
        long alive = ProcessHandle.current().pid();
        try (DriverHost own = DriverHost.start(new DriverSettings(parent, "own", 0, WINDOW))) {
            Files.createDirectories(abandoned);
            Files.createFile(abandoned.resolve("owner.lock"));
            assertFalse(DriverHost.sweepAfter(alive, parent), "another's death is not this one's");
            assertFalse(Files.exists(abandoned), "not swept");
            assertTrue(Files.exists(own.directory().resolve("cnc.dat")), "swept a live driver");
            assertTrue(DriverHost.sweepAfter(dead.pid(), parent));
        }
        assertTrue(DriverHost.sweepAfter(alive, parent));
        assertFalse(DriverHost.sweepAfter(alive, parent.resolve("missing")));
    }

    @Test
    void shouldPrintNeededAndFreeBytes(@TempDir Path parent) throws Exception {
        DriverSettings settings = new DriverSettings(parent, "job", 500L << 20, WINDOW);
        TransportException e = assertThrows(TransportException.class, () -> DriverHost.checkSpace(settings, 16L << 20));
        assertTrue(String.valueOf(e.getMessage()).contains("needs 524288000 bytes (500 MiB)"), e.getMessage());
        assertTrue(String.valueOf(e.getMessage()).contains("only 16777216 (16 MiB) are free"), e.getMessage());
        DriverSettings tooMuch = new DriverSettings(parent, "job", Long.MAX_VALUE, WINDOW);
        assertThrows(TransportException.class, () -> DriverHost.start(tooMuch));
        assertEquals(List.of(), entries(parent));
    }
}
