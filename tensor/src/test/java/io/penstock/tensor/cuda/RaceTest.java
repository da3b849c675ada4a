package io.penstock.tensor.cuda;

import io.penstock.tensor.Backend;
import io.penstock.tensor.contract.BackendContract;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The contract's smaller cases with the last thread of a block running first: other bits mean threads that do not wait for each other. */
@Tag("slow")
final class RaceTest extends BackendContract {
    private static final long SCRATCH_BYTES = 1 << 16;

    @Override
    protected Backend createBackend() {
        return new CudaBackend(HostGpuBackendTest.gpu(true), SCRATCH_BYTES, 256);
    }

    @Override
    protected int warmUpRuns() {
        return 1;
    }

    @Override
    protected long mostBytes() {
        return 100_000;
    }

    @Test
    void shouldGiveTheSameBitsWhateverThreadRunsFirst() {
        try (Backend lastFirst = createBackend();
                Backend firstFirst = new CudaBackend(HostGpuBackendTest.gpu(false), SCRATCH_BYTES, 256)) {
            assertSameBits(firstFirst, lastFirst);
        }
    }
}
