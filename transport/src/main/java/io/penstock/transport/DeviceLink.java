package io.penstock.transport;

/**
 * The device of a rank whose memory the host cannot address, for messages to ranks of the same process; given by the caller. A thread calls it of its own rank alone, and hands it
 * the links of others, of the same kind. Marks and copies are numbered by device. Only {@link #finish} waits for what is asked for, {@link #startCopy} at most for a copy that was started very many copies before; none allocates once each peer is known.
 */
public interface DeviceLink {
    /** Remembers what this device was asked for until now; the mark's number. */
    long mark();

    /**
     * Starts to copy between this device and that of {@code peer}, after what a mark of each remembers and beside what either is asked for later.
     *
     * @param to an address, of this device if {@code incoming}, else of the peer's
     * @param from an address of the other device; both may be the same device
     * @return the copy's number
     */
    long startCopy(long to, long from, long bytes, long mark, DeviceLink peer, long peerMark, boolean incoming);

    /** What this device is asked for from now on comes after a copy that {@code starter} started; this thread does not wait. */
    void orderAfter(DeviceLink starter, long copy);

    /** Waits until this device has done all that it was asked for. */
    void finish();
}
