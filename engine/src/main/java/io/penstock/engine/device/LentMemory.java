package io.penstock.engine.device;

import io.penstock.tensor.DeviceMemory;
import java.lang.foreign.MemorySegment;

/** Memory that its owner frees, when nobody reaches it any more. */
record LentMemory(MemorySegment segment) implements DeviceMemory {
    @Override
    public void close() {}
}
