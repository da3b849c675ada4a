package io.penstock.tensor;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.LongFunction;

/** Who holds how many bytes of a rank's device. Every allocation of a rank passes here; the limit is the rank's, and passing it is an error. */
public final class MemoryLedger {
    private final LongFunction<DeviceMemory> allocator;
    private final long limitBytes;
    private final Map<String, Long> bytesByOwner = new LinkedHashMap<>();
    private long totalBytes;

    /** {@code limitBytes}: what this rank may hold in all, {@link Long#MAX_VALUE} for no limit. */
    public MemoryLedger(LongFunction<DeviceMemory> allocator, long limitBytes) {
        this.allocator = allocator;
        this.limitBytes = limitBytes;
    }

    DeviceMemory allocate(String owner, long bytes) {
        return allocate(owner, bytes, allocator);
    }

    /** {@code allocator}: another than the rank's, for memory of the same account. */
    DeviceMemory allocate(String owner, long bytes, LongFunction<DeviceMemory> allocator) {
        if (bytes > limitBytes - totalBytes) {
            throw new OutOfDeviceMemoryException(owner, bytes, limitBytes - totalBytes, limitBytes, bytesByOwner);
        }
        DeviceMemory memory;
        try {
            memory = allocator.apply(bytes);
        } catch (DeviceFullException full) {
            // Others use the device too: the plan's limit did not know.
            throw new OutOfDeviceMemoryException(owner, bytes, full.freeBytes(), limitBytes, bytesByOwner, full);
        }
        totalBytes += bytes;
        bytesByOwner.merge(owner, bytes, Long::sum);
        return memory;
    }

    void release(String owner, DeviceMemory memory) {
        long bytes = memory.segment().byteSize();
        memory.close();
        totalBytes -= bytes;
        bytesByOwner.merge(owner, -bytes, Long::sum);
        bytesByOwner.remove(owner, 0L);
    }

    public long totalBytes() {
        return totalBytes;
    }

    /** A copy, in order of allocation. */
    public Map<String, Long> bytesByOwner() {
        return new LinkedHashMap<>(bytesByOwner);
    }
}
