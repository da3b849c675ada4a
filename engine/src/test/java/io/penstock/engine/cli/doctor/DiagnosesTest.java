package io.penstock.engine.cli.doctor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.penstock.engine.cli.doctor.Diagnosis.Status;
import io.penstock.tensor.cuda.CudaProbe;
import io.penstock.tensor.cuda.CudaProbe.Library;
import io.penstock.tensor.cuda.GpuReading;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
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
    void shouldSayWhatCudaLacks() {
        Library driver = new Library("libcuda.so.1", "GPU driver", Optional.empty(), "install the driver");
        Library old = new Library("libcublas.so.12", "cuBLAS", Optional.empty(), "");
        Library cublas = new Library("libcublas.so.13", "cuBLAS", Optional.of("/x/libcublas.so.13"), "");
        List<Diagnosis> found = GpuDiagnoses.of(
                new CudaProbe.Report(0, List.of(), List.of(driver, old, cublas), Optional.of("no driver; get one")),
                Optional.empty());
        assertEquals(
                List.of(
                        Diagnosis.missing(
                                "GPU driver",
                                "libcuda.so.1 not found",
                                "install the driver; only device: cuda needs it"),
                        Diagnosis.ok("cuBLAS", "libcublas.so.13 from /x/libcublas.so.13"),
                        Diagnosis.missing("CUDA", "device: cuda cannot be used", "no driver; get one")),
                found.subList(0, 3));
        assertEquals("NVML", found.get(3).name());
    }

    @Test
    void shouldDescribeGpus() {
        CudaProbe.Report report = new CudaProbe.Report(
                13000, List.of(new CudaProbe.Device(0, "Some GPU", 90, 2L << 30)), List.of(), Optional.empty());
        GpuReading reading = new GpuReading(
                0,
                "Some GPU",
                Optional.of(50),
                Optional.of(1L << 30),
                Optional.of(2L << 30),
                Optional.empty(),
                Optional.of(399.6),
                List.of("software power cap"));
        assertEquals(
                List.of(
                        Diagnosis.ok("CUDA", "the driver speaks CUDA 13.0"),
                        Diagnosis.ok("GPU 0", "Some GPU, compute capability 9.0, 2048 MiB"),
                        Diagnosis.missing(
                                "NVML 0",
                                "Some GPU: 50% busy, 1.0 GiB of 2.0 GiB used, 400 W",
                                "clocks are held down: software power cap")),
                GpuDiagnoses.of(report, Optional.of(List.of(reading))));
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
