package io.penstock.transport;

/** A wait that can never end, because a rank is gone; names the first culprit, the same on every rank. */
public final class PeerLostException extends TransportException {
    private final int rank;
    private final Progress progress;
    private final String reason;
    private final String waitingFor;
    private final long waitedNs;

    PeerLostException(String message, Failure failure, String waitingFor, long waitedNs) {
        super(message);
        this.rank = failure.rank();
        this.progress = failure.progress();
        this.reason = failure.reason();
        this.waitingFor = waitingFor;
        this.waitedNs = waitedNs;
    }

    /** The rank that failed first; this rank's own number when the others gave it up. */
    public int rank() {
        return rank;
    }

    /** Where the lost rank was when last heard of. */
    public Progress progress() {
        return progress;
    }

    public String reason() {
        return reason;
    }

    /** What the throwing rank was waiting for, empty if it was about to post a transfer. */
    public String waitingFor() {
        return waitingFor;
    }

    public long waitedNs() {
        return waitedNs;
    }
}
