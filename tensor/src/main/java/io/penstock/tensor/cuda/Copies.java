package io.penstock.tensor.cuda;

import io.penstock.tensor.DeviceCopies;
import io.penstock.tensor.DeviceLane;
import io.penstock.tensor.DeviceMemory;
import java.lang.foreign.MemorySegment;
import java.util.Objects;

/** Segments of host and device as the {@link Gpu}'s addresses. */
record Copies(Gpu gpu) implements DeviceCopies {
    @Override
    public DeviceMemory allocateHost(long bytes) {
        return gpu.allocateHost(bytes);
    }

    @Override
    public DeviceMemory allocateMapped(long bytes) {
        return gpu.allocateMapped(bytes);
    }

    @Override
    public void upload(MemorySegment device, MemorySegment host) {
        Objects.checkFromIndexSize(0, host.byteSize(), device.byteSize());
        gpu.write(device.address(), host);
    }

    @Override
    public void download(MemorySegment host, MemorySegment device) {
        Objects.checkFromIndexSize(0, host.byteSize(), device.byteSize());
        gpu.read(host, device.address());
    }

    @Override
    public long startUpload(MemorySegment device, long deviceOffset, MemorySegment host, long hostOffset, long bytes) {
        check(device, deviceOffset, host, hostOffset, bytes);
        return gpu.startWrite(device.address() + deviceOffset, host.address() + hostOffset, bytes);
    }

    @Override
    public long startDownload(
            MemorySegment host, long hostOffset, MemorySegment device, long deviceOffset, long bytes) {
        check(device, deviceOffset, host, hostOffset, bytes);
        return gpu.startRead(host.address() + hostOffset, device.address() + deviceOffset, bytes);
    }

    private static void check(
            MemorySegment device, long deviceOffset, MemorySegment host, long hostOffset, long bytes) {
        Objects.checkFromIndexSize(deviceOffset, bytes, device.byteSize());
        Objects.checkFromIndexSize(hostOffset, bytes, host.byteSize());
    }

    @Override
    public boolean isDone(long copy) {
        return gpu.isDone(copy);
    }

    @Override
    public void await(long copy) {
        gpu.await(copy);
    }

    @Override
    public long mark() {
        return gpu.mark();
    }

    @Override
    public long startCopy(
            long to, long from, long bytes, long mark, DeviceCopies peer, long peerMark, boolean incoming) {
        return gpu.startCopy(to, from, bytes, mark, ((Copies) peer).gpu, peerMark, incoming);
    }

    @Override
    public void orderAfter(DeviceCopies starter, long copy) {
        gpu.orderAfter(((Copies) starter).gpu, copy);
    }

    @Override
    public DeviceLane lane() {
        return gpu.lane();
    }

    @Override
    public void finish() {
        gpu.synchronize();
    }
}
