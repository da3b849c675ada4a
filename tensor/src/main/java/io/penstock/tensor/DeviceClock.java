package io.penstock.tensor;

/**
 * When a device did what it was asked for, where that is later than the asking. Stamps are numbered from 0 and used again; none waits or allocates. Of the backend's one thread, closed
 * before it.
 */
public interface DeviceClock extends AutoCloseable {
    /** Remembers the moment at which the device has done all that it was asked for until now, instead of the stamp's last. */
    void stamp(int number);

    /**
     * Waits for all stamps.
     *
     * @return of each its moment in nanoseconds of {@link System#nanoTime}, apart by what the device measured; zeros if there were none
     */
    long[] readNs();

    @Override
    void close();
}
