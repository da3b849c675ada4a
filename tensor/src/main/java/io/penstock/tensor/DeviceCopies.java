package io.penstock.tensor;

import java.lang.foreign.MemorySegment;

/**
 * Brings bytes to and from memory that the host cannot address, of the backend's one thread. Copies are in order with the device's work: one that is started sees what was asked for
 * before it, and runs beside what is asked for later. Started copies are numbered; nothing here allocates but {@link #allocateHost} and {@link #allocateMapped}.
 */
public interface DeviceCopies {
    /** Zeroed host memory that copies can run to and from beside other work. Its {@code close} waits for them. */
    DeviceMemory allocateHost(long bytes);

    /**
     * Zeroed host memory at addresses that the device reads and writes itself, over the bus: its tensors are for operations like any other, and best for what a step meets once. Its
     * {@code close} waits for the device.
     *
     * @throws OutOfMemoryError if the system gives or pins no more
     * @throws IllegalStateException if the device cannot
     */
    DeviceMemory allocateMapped(long bytes);

    /** Host bytes to the start of device memory, before any work that is asked for later; the host memory, of any kind, is free again on return. */
    void upload(MemorySegment device, MemorySegment host);

    /** Waits for all work asked for before, then fills host memory, of any kind, from the start of device memory. */
    void download(MemorySegment host, MemorySegment device);

    /** Starts to copy from host memory of {@link #allocateHost}, which must stay as it is until the copy is done. Work may rely on it after {@link #orderAfter}. */
    long startUpload(MemorySegment device, long deviceOffset, MemorySegment host, long hostOffset, long bytes);

    /** Starts to copy to host memory of {@link #allocateHost}. The device memory may not be written by later work until the copy is done, or {@link #orderAfter}. */
    long startDownload(MemorySegment host, long hostOffset, MemorySegment device, long deviceOffset, long bytes);

    boolean isDone(long copy);

    /** The host waits for a copy. */
    void await(long copy);

    /** Remembers what the device was asked for until now, for a copy that another may start; the mark's number. */
    long mark();

    /**
     * Starts to copy between this device and that of another backend of the same kind in this process, after what a mark of each remembers and beside what either is asked for later.
     * The other backend may be at work in its own thread.
     *
     * @param to an address of this device if {@code incoming}, else of the other's; {@code from} the other way
     * @return the copy's number
     */
    long startCopy(long to, long from, long bytes, long mark, DeviceCopies peer, long peerMark, boolean incoming);

    /** The device does what is asked for later after a copy that another backend started, or this one; the host does not wait. */
    void orderAfter(DeviceCopies starter, long copy);

    /** A lane of copies that is nobody else's. */
    DeviceLane lane();

    /** The host waits for all work that the device was asked for, and for the copies that it was {@linkplain #orderAfter ordered after}. */
    void finish();
}
