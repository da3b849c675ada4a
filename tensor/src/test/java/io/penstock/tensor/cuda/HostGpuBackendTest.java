package io.penstock.tensor.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.penstock.tensor.Backend;
import io.penstock.tensor.DType;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.TestTensors;
import io.penstock.tensor.contract.BackendContract;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The whole contract on the sources of the CUDA kernels, compiled for the host, and on everything of the CUDA backend but the calls of the driver. */
final class HostGpuBackendTest extends BackendContract {
    /** Little, so that products with a bias come in pieces and sums over rows in larger slices. */
    private static final long SCRATCH_BYTES = 1 << 16;

    static HostGpu gpu(boolean backward) {
        var compiler = Tools.find("g++");
        Assumptions.assumeTrue(compiler.isPresent(), "no g++ to compile the kernels for the host with");
        return new HostGpu(compiler.orElseThrow(), backward);
    }

    @Override
    protected Backend createBackend() {
        return new CudaBackend(gpu(false), SCRATCH_BYTES, 256);
    }

    @Override
    protected int warmUpRuns() {
        return 2; // nothing warms up but the launches
    }

    @Test
    void shouldReportTheFirstTokenOutOfRange() {
        try (CudaBackend backend = new CudaBackend(gpu(false), SCRATCH_BYTES, 256)) {
            Tensor tokens = TestTensors.of(DType.I32, 1, 3, 7, 9);
            Tensor wte = TestTensors.random(1, DType.F32, 7, 4);
            Tensor y = TestTensors.random(2, DType.F32, 4, 4);
            backend.embedding(y, tokens, wte, null, 4);
            IllegalStateException error = assertThrows(IllegalStateException.class, backend::synchronize);
            assertTrue(String.valueOf(error.getMessage()).contains("row 2 is 7"), error.getMessage());
            assertEquals(0, TestTensors.maxAbs(y.slice(2, 2)));
            backend.synchronize();
        }
    }

    /** JCudaGpu, JCuda and its native code, on stand-ins for the driver and for cuBLAS of CUDA 13: all of the way to a GPU that is not NVIDIA's. */
    @Test
    void shouldGiveTheSameBitsThroughJCuda(@TempDir Path folder) throws IOException, InterruptedException {
        StandIns.driverAndCublas(folder, "13");
        try (Backend backend = createBackend()) {
            Map<String, String> here = checksums(backend);
            List<String> output = StandInRun.inItsOwnJvm(StandInRun.class, folder);
            assertEquals("cuda (Stand-in GPU, compute capability 9.0, 1024 MiB, cuBLAS 13.0)", output.getFirst());
            Map<String, String> there = new LinkedHashMap<>();
            for (String line : output.subList(1, output.size())) {
                String[] fields = line.split("\t", -1);
                there.put(fields[0], fields[1]);
            }
            assertEquals(here, there);
        }
    }

    @Test
    void shouldSayWhatNeedsMoreScratch() {
        try (CudaBackend backend = new CudaBackend(gpu(false), 64, 256)) {
            IllegalStateException error = assertThrows(
                    IllegalStateException.class,
                    () -> backend.sumRows(TestTensors.zeros(DType.F32, 17), TestTensors.zeros(DType.F32, 1, 17)));
            assertTrue(String.valueOf(error.getMessage()).contains("68 bytes"), error.getMessage());
        }
    }
}
