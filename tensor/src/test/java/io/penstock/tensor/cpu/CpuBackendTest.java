package io.penstock.tensor.cpu;

import io.penstock.tensor.Backend;
import io.penstock.tensor.contract.BackendContract;
import org.junit.jupiter.api.Test;

final class CpuBackendTest extends BackendContract {
    @Override
    protected Backend createBackend() {
        return new CpuBackend(2);
    }

    @Test
    void shouldGiveTheSameBitsOnAnyNumberOfThreads() {
        try (CpuBackend one = new CpuBackend(1);
                CpuBackend three = new CpuBackend(3)) {
            assertSameBits(one, three);
        }
    }
}
