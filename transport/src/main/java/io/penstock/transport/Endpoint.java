package io.penstock.transport;

import java.lang.foreign.MemorySegment;
import java.util.Optional;

/**
 * One rank's end of the wires to all other ranks. Sends and receives are posted and finish on their own; posting, waiting and asking
 * never allocate. Memory must be native and of a shared, global or automatic arena, 0 bytes to several GiB.
 *
 * <p>The n-th message that rank a sends to rank b in a {@linkplain Kind#lane() lane} goes into the n-th receive that b posted for a in
 * that lane; both must say the same tag, step, micro-batch and length, else the receiver gets a {@link ProtocolException}.
 *
 * <p>One failed rank ends the job: from then on every call throws {@link PeerLostException} naming the same first culprit on all ranks.
 * A thread posts in the order it wants; several threads may use one endpoint if they keep to lanes of their own.
 */
public interface Endpoint extends AutoCloseable {
    int rank();

    int worldSize();

    /** Posts a send of {@code length} bytes; they must stay untouched until the transfer is done. */
    Transfer send(int peer, Tag tag, int step, int microBatch, MemorySegment source, long offset, long length);

    /** Posts a receive of exactly {@code length} bytes, before or after they come; their memory is undefined until done. */
    Transfer receive(int peer, Tag tag, int step, int microBatch, MemorySegment destination, long offset, long length);

    /**
     * Zeroed memory, aligned to 64 bytes, whose bytes a rank of the same media driver can read: reductions read it where it is, and a message
     * from it is copied once, also where the kernel does not let the processes reach each other's private memory. It is counted against the shared memory of the machine and lives as long as the endpoint or
     * a segment of it is reachable. Allocate at start: one block for all that is sent, not one a tensor. Empty where no other rank could read it, and, with a warning, where
     * shared memory has no room for it beside what all streams may need.
     */
    Optional<MemorySegment> allocate(long bytes);

    /**
     * This rank's end for memory of its device that the host cannot address, where its peers are in this process and can reach one another's devices: messages then go from device
     * to device. Empty where bytes must come to the host to travel. All ranks take the same way.
     */
    default Optional<Endpoint> onDevices(DeviceLink device) {
        return Optional.empty();
    }

    /** Posts a send of the whole segment. */
    default Transfer send(int peer, Tag tag, int step, int microBatch, MemorySegment source) {
        return send(peer, tag, step, microBatch, source, 0, source.byteSize());
    }

    /** Posts a receive of the whole segment. */
    default Transfer receive(int peer, Tag tag, int step, int microBatch, MemorySegment destination) {
        return receive(peer, tag, step, microBatch, destination, 0, destination.byteSize());
    }

    /**
     * Parks until the transfer is done and gives it back to the endpoint: a transfer is awaited once, and not used after. Where a rank is lost, no peer touches this rank's memory
     * any more when this throws; after a wait that its limit or an interrupt ended, the memory stays the transport's until {@link #close}.
     *
     * @throws PeerLostException if a rank is lost, or this one waited longer than its limit
     * @throws ProtocolException if the sender sent something else than the receive expects
     */
    void await(Transfer transfer);

    /** Whether {@link #await} would return at once; stays true until it is called. */
    boolean isDone(Transfer transfer);

    /** Says where this rank is, so that others can tell if it is lost; cheap enough for every instruction. */
    void progress(int step, int microBatch, int activity);

    /** Throws {@link PeerLostException} if a rank is known to be lost; for long computations between waits. */
    void check();

    /** Tells all ranks that this one fails and why; its own waits end too. */
    void announceFailure(String reason);

    /** Tells all ranks that this one has nothing more to send or receive, so that its leaving is no failure. */
    void announceDone();

    EndpointCounters counters();

    /** Leaves; a failure seen by all others unless {@link #announceDone} came first. Idempotent. */
    @Override
    void close();
}
