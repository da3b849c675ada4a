package io.penstock.tensor.cuda;

import io.penstock.tensor.DeviceMemory;
import io.penstock.tensor.HostMemory;
import java.lang.foreign.MemorySegment;
import jcuda.driver.JCudaDriver;

/**
 * Memory of this process that the driver has pinned. Ours and not the driver's, so that a thread that still looks at it when it is closed gets an exception and no crash. The
 * context must be the thread's.
 */
final class PinnedMemory implements DeviceMemory {
    /** Whole pages: the driver pins no page twice. */
    private static final long PAGE = 4096;

    private final HostMemory memory;
    private final Runnable beforeClose;
    private boolean closed;

    /** {@code flags}: of cuMemHostRegister; {@code beforeClose} waits for those who use it. */
    PinnedMemory(long bytes, int flags, Runnable beforeClose) {
        this.beforeClose = beforeClose;
        memory = new HostMemory(Math.ceilDiv(Math.max(1, bytes), PAGE) * PAGE);
        boolean pinned = false;
        try {
            JCudaDriver.cuMemHostRegister(
                    new DeviceAddress().at(memory.segment().address()),
                    memory.segment().byteSize(),
                    flags);
            pinned = true;
        } finally {
            if (!pinned) {
                memory.close();
            }
        }
    }

    @Override
    public MemorySegment segment() {
        return memory.segment();
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            beforeClose.run();
            JCudaDriver.cuMemHostUnregister(
                    new DeviceAddress().at(memory.segment().address()));
            memory.close();
        }
    }
}
