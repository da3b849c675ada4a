package io.penstock.tensor;

import java.lang.foreign.MemorySegment;

/**
 * Copies between a device and host memory of {@link DeviceCopies#allocateHost} or {@link DeviceCopies#allocateMapped} on a way of their own: one after the other in the order in which
 * they were asked for, each after the work asked for before it, beside what is asked for later and beside the copies of others. Copies are numbered; none waits on the host or
 * allocates. Of the backend's one thread, closed before it.
 */
public interface DeviceLane extends AutoCloseable {
    /** Host memory, which must stay as it is until the copy is done, to the start of the device's. */
    long startUpload(MemorySegment device, MemorySegment host);

    /** Device memory, which later work may write only {@linkplain #orderAfter after} the copy, to the start of the host's. */
    long startDownload(MemorySegment host, MemorySegment device);

    /** The device does what is asked for later after a copy and those before it; the host does not wait. */
    void orderAfter(long copy);

    /** Waits for all copies. */
    @Override
    void close();
}
