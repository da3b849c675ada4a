package io.penstock.engine.cli.doctor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.penstock.engine.cli.doctor.Diagnosis.Status;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class DiagnosesTest {
    @ParameterizedTest
    @CsvSource({"25.0.3, OK", "25.0.3+9-LTS, OK", "25.1, OK", "25.0.2, BAD", "25, BAD", "26, BAD", "17.0.15, BAD"})
    void shouldTakeOnlyTheJdkThatWorks(String version, Status status) {
        assertEquals(status, JvmDiagnoses.jdk(Runtime.Version.parse(version)).status());
    }

    @Test
    void shouldReadTheInstructionSets() {
        String cpuInfo =
                "processor\t: 0\nmodel name\t: Some CPU\nflags\t\t: fpu avx2 fpu avx512_bf16 amx_tile\n\nprocessor\t: 1\n";
        Diagnosis cpu = MachineDiagnoses.cpu(cpuInfo);
        assertEquals("Some CPU: avx2 avx512_bf16 amx_tile", cpu.found());
        assertEquals(Status.OK, cpu.status());
        assertEquals(
                Status.MISSING, MachineDiagnoses.cpu("Features\t: asimd fp\n").status());
        assertEquals(Status.MISSING, MachineDiagnoses.cpu("").status());
    }

    @Test
    void shouldFindLibrariesOrSayWhatToInstall() throws IOException {
        assertEquals(
                Status.OK,
                LibraryDiagnoses.gpu("C library", "", "libnothing.so.9", "libc.so.6")
                        .status());
        Diagnosis missing = LibraryDiagnoses.gpu("Nothing", "install nothing", "libnothing.so.9");
        assertEquals(Status.MISSING, missing.status());
        assertEquals("libnothing.so.9 not found", missing.found());
        assertEquals("install nothing; only device: cuda needs it", missing.mend());
    }

    @Test
    void shouldFindOneDnnOnOurClassPathOnly() throws IOException {
        assertEquals(
                Status.OK,
                LibraryDiagnoses.oneDnn(DiagnosesTest.class.getClassLoader()).status());
        try (URLClassLoader empty = new URLClassLoader(new URL[0], ClassLoader.getPlatformClassLoader())) {
            assertEquals(Status.BAD, LibraryDiagnoses.oneDnn(empty).status());
        }
    }

    @Test
    void shouldSayWhenSharedMemoryIsNotThere() throws IOException {
        Diagnosis diagnosis = MachineDiagnoses.sharedMemory(Path.of("/nowhere/shm"));
        assertEquals(Status.MISSING, diagnosis.status());
        assertTrue(diagnosis.found().contains("not there"), diagnosis.found());
    }
}
