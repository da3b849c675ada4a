package io.penstock.transport;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * Where the data of an operation lie in the {@link SharedMemory} of the ranks of a group, if all of them are there: this rank can then read
 * the others' without a copy. A place goes from rank to rank as one long: the block in the upper 16 bits, the offset in the others.
 */
final class PeerMemory {
    private static final long NOWHERE = -1;
    private static final int OFFSET_BITS = 48;
    private static final long OFFSET_MASK = (1L << OFFSET_BITS) - 1;

    private final Group group;
    private final SharedMemory shared;
    private final MemorySegment[] memory;
    private final long[] offsets;

    private PeerMemory(Group group, SharedMemory shared) {
        this.group = group;
        this.shared = shared;
        this.memory = new MemorySegment[group.size()];
        this.offsets = new long[group.size()];
    }

    /** Null where the ranks cannot read each other's memory, or must not, since checksums are on; the same on every rank. */
    static @Nullable PeerMemory of(Group group) {
        if (!(group.endpoint() instanceof AeronEndpoint endpoint) || group.size() == 1) {
            return null;
        }
        for (int i = 0; i < group.size(); i++) {
            if (i != group.self() && !endpoint.readsMemoryOf(group.rank(i))) {
                return null;
            }
        }
        return new PeerMemory(group, endpoint.shared());
    }

    /** Of this rank's data. */
    long place(Operation operation) {
        long address = operation.data.address() + operation.offset;
        int block = shared.blockOf(address, operation.length);
        return block == SharedMemory.NOT_SHARED
                ? NOWHERE
                : (long) block << OFFSET_BITS | shared.offsetIn(block, address);
    }

    static boolean isSomewhere(long place) {
        return place >= 0;
    }

    /** Takes note of what a rank of the group said of its data, which are somewhere. */
    void found(int index, long place, Operation operation) {
        int rank = group.rank(index);
        int block = (int) (place >>> OFFSET_BITS);
        long offset = place & OFFSET_MASK;
        try {
            MemorySegment whole = index == group.self() ? operation.data : shared.ofPeer(rank, block);
            long from = index == group.self() ? operation.offset : offset;
            if (from > whole.byteSize() - operation.length) {
                throw new TransportException("rank " + rank + " has the data of an " + operation + " at " + offset
                        + " of its block " + block + " of " + whole.byteSize() + " bytes");
            }
            memory[index] = whole;
            offsets[index] = from;
        } catch (IOException e) {
            group.endpoint().check(); // a rank that is lost has taken its memory's name with it
            throw new TransportException("no shared memory of rank " + rank + ": " + e, e);
        }
    }

    /** Of each rank of the group; this rank's own among them. */
    MemorySegment[] memory() {
        return memory;
    }

    /** Where the data begin in the memory of a rank of the group. */
    long offset(int index) {
        return offsets[index];
    }
}
