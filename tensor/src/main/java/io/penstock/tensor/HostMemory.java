package io.penstock.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Off-heap memory of this process, in huge pages where the system gives them, touched at allocation so that no step meets a fresh page. */
public final class HostMemory implements DeviceMemory {
    private final Arena arena = Arena.ofShared();
    private final MemorySegment segment;

    public HostMemory(long bytes) {
        // Arena memory arrives zeroed, which touches every page.
        segment = HugePages.map(bytes, arena)
                .orElseGet(() -> arena.allocate(Math.max(bytes, 1), 4096).asSlice(0, bytes));
    }

    @Override
    public MemorySegment segment() {
        return segment;
    }

    @Override
    public void close() {
        arena.close();
    }
}
