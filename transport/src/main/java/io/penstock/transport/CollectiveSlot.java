package io.penstock.transport;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** The transfers of one chunk of a collective operation, with scratch for a piece from each rank. */
final class CollectiveSlot {
    private final Group group;
    private final long scratchOffset;
    private final long chunkBytes;
    private final @Nullable Transfer[] sends;
    private final @Nullable Transfer[] receives;

    CollectiveSlot(Group group, long scratchOffset, long chunkBytes) {
        this.group = group;
        this.scratchOffset = scratchOffset;
        this.chunkBytes = chunkBytes;
        this.sends = new Transfer[group.size()];
        this.receives = new Transfer[group.size()];
    }

    /** Where the piece of a rank of the group lies in the scratch. */
    long scratchOf(int index) {
        return scratchOffset + index * chunkBytes;
    }

    /** Posts a send to a rank of the group, unless that is this one. */
    void send(int index, Tag tag, int round, int chunk, MemorySegment data, long offset, long length) {
        if (index != group.self()) {
            sends[index] = group.endpoint().send(group.rank(index), tag, round, chunk, data, offset, length);
        }
    }

    /** Posts a receive from a rank of the group, unless that is this one. */
    void receive(int index, Tag tag, int round, int chunk, MemorySegment data, long offset, long length) {
        if (index != group.self()) {
            receives[index] = group.endpoint().receive(group.rank(index), tag, round, chunk, data, offset, length);
        }
    }

    boolean hasReceived() {
        return collect(receives);
    }

    boolean hasSent() {
        return collect(sends);
    }

    /** Gives finished transfers back; returns whether none is left. */
    private boolean collect(@Nullable Transfer[] transfers) {
        boolean all = true;
        for (int i = 0; i < transfers.length; i++) {
            Transfer transfer = transfers[i];
            if (transfer == null) {
                continue;
            }
            if (group.endpoint().isDone(transfer)) {
                transfers[i] = null;
                group.endpoint().await(transfer);
            } else {
                all = false;
            }
        }
        return all;
    }

    /** Waits for one transfer that is not finished, receives first. */
    void awaitOne() {
        if (!awaitFirst(receives)) {
            awaitFirst(sends);
        }
    }

    private boolean awaitFirst(@Nullable Transfer[] transfers) {
        for (int i = 0; i < transfers.length; i++) {
            Transfer transfer = transfers[i];
            if (transfer != null) {
                transfers[i] = null;
                group.endpoint().await(transfer);
                return true;
            }
        }
        return false;
    }
}
