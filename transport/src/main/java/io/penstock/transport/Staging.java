package io.penstock.transport;

import java.lang.foreign.MemorySegment;

/**
 * Memory that the host cannot address, as {@link StagedEndpoint} needs it; given by the caller. Copies are in order with what the device was asked for before they are started. All
 * calls are of the one thread that the device belongs to, and none but {@link #allocate} allocates.
 */
public interface Staging {
    /** Host memory that copies run to and from; kept until {@link #close}. */
    MemorySegment allocate(long bytes);

    /** Starts to copy from the device; returns the copy's number. */
    long startDownload(MemorySegment host, long hostOffset, MemorySegment device, long deviceOffset, long bytes);

    /** Starts to copy to the device; returns the copy's number. */
    long startUpload(MemorySegment device, long deviceOffset, MemorySegment host, long hostOffset, long bytes);

    boolean isDone(long copy);

    /** This thread waits for a copy. */
    void await(long copy);

    /** What the device is asked for from now on comes after a copy; this thread does not wait. */
    void orderAfter(long copy);

    /** Waits for copies and gives the host memory back. */
    void close();
}
