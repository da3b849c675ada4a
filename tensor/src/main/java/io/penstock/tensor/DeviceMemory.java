package io.penstock.tensor;

import java.lang.foreign.MemorySegment;

/** One block of a device's memory, zeroed, aligned to at least {@link TensorTable#ALIGNMENT}. Closed once, by the ledger that asked for it. */
public interface DeviceMemory extends AutoCloseable {
    MemorySegment segment();

    @Override
    void close();
}
