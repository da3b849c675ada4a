package io.penstock.tensor.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.penstock.tensor.Backend;
import io.penstock.tensor.CarvedMemory;
import io.penstock.tensor.DType;
import io.penstock.tensor.DeviceMemory;
import io.penstock.tensor.MemoryLedger;
import io.penstock.tensor.OutOfDeviceMemoryException;
import io.penstock.tensor.Shape;
import io.penstock.tensor.TensorTable;
import io.penstock.tensor.contract.BackendContract;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/** A JVM whose driver and cuBLAS are stand-ins: a process loads a library of a name once, so no other test may share it. */
final class StandInRun extends BackendContract {
    private final LibraryFinder finder;

    private StandInRun(Path folder) {
        finder = new LibraryFinder(false, List.of(folder));
    }

    /** What {@code main} prints there; it gets the folder of the stand-ins, and sees two devices. */
    static List<String> inItsOwnJvm(Class<?> main, Path folder) throws IOException, InterruptedException {
        ProcessBuilder process = new ProcessBuilder(List.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        "-ea",
                        "-cp",
                        System.getProperty("java.class.path"),
                        main.getName(),
                        folder.toString()))
                .redirectErrorStream(true);
        process.environment()
                .put(
                        "PENSTOCK_HOST_KERNELS",
                        HostKernels.library(StandIns.compiler()).toString());
        process.environment().put("PENSTOCK_STAND_IN_DEVICES", "2");
        Process java = process.start();
        String output = new String(java.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, java.waitFor(), output);
        return output.lines().toList();
    }

    /** {@code arguments[0]}: the folder of the stand-ins. Prints the backend's description, then a line "case TAB checksum" for each small case of the contract. */
    public static void main(String[] arguments) {
        StandInRun run = new StandInRun(Path.of(arguments[0]));
        try (Backend backend = run.createBackend()) {
            System.out.println(backend.description());
            run.checksums(backend).forEach((name, checksum) -> System.out.println(name + "\t" + checksum));
            assertOutOfMemoryIsExplained(backend);
        }
    }

    private static void assertOutOfMemoryIsExplained(Backend backend) {
        MemoryLedger ledger = new MemoryLedger(backend::allocate, Long.MAX_VALUE);
        TensorTable table =
                TensorTable.builder().add("all", DType.F32, Shape.of(1L << 29)).build();
        OutOfDeviceMemoryException error = assertThrows(
                OutOfDeviceMemoryException.class, () -> CarvedMemory.allocate("parameters", table, ledger));
        String message = String.valueOf(error.getMessage());
        assertTrue(message.startsWith("parameters needs " + (1L << 31) + " bytes"), message);
        assertTrue(message.contains("activation checkpointing"), message);
    }

    @Override
    protected Backend createBackend() {
        return new CudaBackend(JCudaGpu.open(0, finder), 1 << 16, 256);
    }

    @Override
    protected void upload(Backend backend, DeviceMemory device, MemorySegment host) {
        backend.copies().orElseThrow().upload(device.segment(), host);
    }

    @Override
    protected void download(Backend backend, MemorySegment host, DeviceMemory device) {
        backend.copies().orElseThrow().download(host, device.segment());
    }
}
