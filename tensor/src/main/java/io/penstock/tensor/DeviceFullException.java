package io.penstock.tensor;

/** The device itself has no room, whatever the plan said; {@link MemoryLedger} says who asked. */
public final class DeviceFullException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final long freeBytes;

    public DeviceFullException(long bytes, long freeBytes, long totalBytes) {
        super("the device has " + freeBytes + " of its " + totalBytes + " bytes free, needed are " + bytes);
        this.freeBytes = freeBytes;
    }

    public long freeBytes() {
        return freeBytes;
    }
}
