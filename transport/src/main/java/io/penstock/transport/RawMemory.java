package io.penstock.transport;

import java.lang.foreign.MemorySegment;

/** The whole address space, for log buffers that Aeron gives out as addresses. */
final class RawMemory {
    static final MemorySegment ALL = all();

    private RawMemory() {}

    @SuppressWarnings("restricted")
    private static MemorySegment all() {
        return MemorySegment.NULL.reinterpret(Long.MAX_VALUE);
    }
}
