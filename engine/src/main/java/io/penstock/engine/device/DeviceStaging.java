package io.penstock.engine.device;

import io.penstock.tensor.DeviceCopies;
import io.penstock.tensor.DeviceMemory;
import io.penstock.transport.Staging;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** A device's copies for the transport, which knows no tensors; owns the staging memory. */
final class DeviceStaging implements Staging {
    private final DeviceCopies copies;
    private final List<DeviceMemory> memory = new ArrayList<>();

    DeviceStaging(DeviceCopies copies) {
        this.copies = copies;
    }

    @Override
    public MemorySegment allocate(long bytes) {
        DeviceMemory allocated = copies.allocateHost(bytes);
        memory.add(allocated);
        return allocated.segment();
    }

    @Override
    public long startDownload(
            MemorySegment host, long hostOffset, MemorySegment device, long deviceOffset, long bytes) {
        return copies.startDownload(host, hostOffset, device, deviceOffset, bytes);
    }

    @Override
    public long startUpload(MemorySegment device, long deviceOffset, MemorySegment host, long hostOffset, long bytes) {
        return copies.startUpload(device, deviceOffset, host, hostOffset, bytes);
    }

    @Override
    public boolean isDone(long copy) {
        return copies.isDone(copy);
    }

    @Override
    public void await(long copy) {
        copies.await(copy);
    }

    @Override
    public void orderAfter(long copy) {
        copies.orderAfter(copies, copy);
    }

    @Override
    public void close() {
        memory.forEach(DeviceMemory::close);
        memory.clear();
    }
}
