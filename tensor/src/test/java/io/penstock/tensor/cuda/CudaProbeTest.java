package io.penstock.tensor.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.penstock.tensor.cuda.CudaProbe.Report;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class CudaProbeTest {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path folder;

    private Report report() {
        return new CudaProbe(new LibraryFinder(false, List.of(folder))).run();
    }

    private String problem() {
        return report().problem().orElse("none");
    }

    @Test
    void shouldSayHowToGetADriver() {
        assertTrue(
                problem().startsWith("no NVIDIA driver: libcuda.so.1 is not found; install NVIDIA's driver"),
                problem());
        assertEquals(List.of(), report().devices());
        CudaUnavailableException error = assertThrows(
                CudaUnavailableException.class, () -> JCudaGpu.open(0, new LibraryFinder(false, List.of(folder))));
        assertEquals(problem(), error.getMessage());
    }

    @Test
    void shouldDescribeTheDevices() throws IOException, InterruptedException {
        StandIns.driverAndCublas(folder, "12", StandIns.NAMELESS);
        Report report = report();
        assertEquals("none", problem());
        assertEquals(13000, report.driverVersion());
        assertEquals(
                "Stand-in GPU, compute capability 9.0, 1024 MiB",
                report.devices().getFirst().toString());
        assertTrue(
                report.libraries().stream().allMatch(library -> library.place().isPresent()), report.toString());
    }

    @Test
    void shouldSayThatCublasIsMissing() throws IOException, InterruptedException {
        StandIns.driverAndCublas(folder, "12", StandIns.NAMELESS);
        Files.delete(folder.resolve("libcublas.so.12"));
        assertTrue(
                problem().startsWith("libcublas.so.12 and libcublas.so.13 are not found; install cuBLAS"), problem());
    }

    @Test
    void shouldRefuseOldDriversAndCards() throws IOException, InterruptedException {
        drive("11080", "9", "1");
        assertTrue(problem().contains("speaks CUDA 11.8, needed is 12.0"), problem());
    }

    @Test
    void shouldRefuseOldCards() throws IOException, InterruptedException {
        drive("12040", "7", "1");
        assertTrue(problem().contains("compute capability 7.0"), problem());
        assertTrue(problem().contains("needed is compute capability 8.0"), problem());
    }

    @Test
    void shouldSayThatTheDriverSeesNoGpu() throws IOException, InterruptedException {
        drive("12040", "9", "0");
        assertTrue(problem().startsWith("the driver sees no GPU"), problem());
    }

    private void drive(String version, String capability, String count) throws IOException, InterruptedException {
        Path source = Files.writeString(folder.resolve("driver.c"), """
            #include <string.h>
            int cuInit(unsigned flags) { return COUNT ? 0 : 100; }
            int cuDriverGetVersion(int *v) { *v = VERSION; return 0; }
            int cuDeviceGetCount(int *n) { *n = COUNT; return 0; }
            int cuDeviceGet(int *d, int i) { *d = i; return 0; }
            int cuDeviceGetName(char *s, int n, int d) { strcpy(s, "Some GPU"); return 0; }
            int cuDeviceGetAttribute(int *v, int a, int d) { *v = a == 75 ? CAPABILITY : 0; return 0; }
            int cuDeviceTotalMem_v2(unsigned long *b, int d) { *b = 1 << 30; return 0; }
            """);
        StandIns.compile(
                StandIns.compiler(),
                source,
                folder,
                "libcuda.so.1",
                "",
                StandIns.NAMELESS,
                "-DVERSION=" + version,
                "-DCAPABILITY=" + capability,
                "-DCOUNT=" + count);
    }
}
