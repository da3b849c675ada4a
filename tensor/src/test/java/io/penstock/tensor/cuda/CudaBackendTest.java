package io.penstock.tensor.cuda;

import io.penstock.tensor.Backend;
import io.penstock.tensor.DeviceMemory;
import io.penstock.tensor.contract.BackendContract;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Tag;

/** The contract on a GPU, run by scripts/gpu-check and wherever tests are asked for with the tag. */
@Tag("gpu")
final class CudaBackendTest extends BackendContract {
    @Override
    protected Backend createBackend() {
        return CudaBackend.open(0);
    }

    @Override
    protected int warmUpRuns() {
        return 20;
    }

    @Override
    protected long mostBytes() {
        return Long.getLong("penstock.gpu.mostBytes", Long.MAX_VALUE);
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
