package io.penstock.transport;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Each tells each where its data are, and so that they are ready; then all know whether all can be read in place. */
final class PlacesPass implements CollectivePass {
    private static final Tag TAG = new Tag(Kind.COLLECTIVE, 6);

    private final MemorySegment scratch;
    private final PeerMemory peers;
    private boolean allFound;

    PlacesPass(MemorySegment scratch, PeerMemory peers) {
        this.scratch = scratch;
        this.peers = peers;
    }

    /** Of the operation that was asked for last. */
    boolean allFound() {
        return allFound;
    }

    @Override
    public long chunks(Group group, Operation operation) {
        return 1;
    }

    @Override
    public void post(Group group, Operation operation, int round, int chunk, CollectiveSlot slot) {
        long own = slot.scratchOf(group.self());
        scratch.set(ValueLayout.JAVA_LONG_UNALIGNED, own, peers.place(operation));
        for (int i = 1; i < group.size(); i++) {
            int from = group.before(i);
            slot.receive(from, TAG, round, chunk, scratch, slot.scratchOf(from), Long.BYTES);
            slot.send(group.after(i), TAG, round, chunk, scratch, own, Long.BYTES);
        }
    }

    @Override
    public void arrived(Group group, Operation operation, int round, int chunk, CollectiveSlot slot) {
        allFound = true;
        for (int i = 0; i < group.size(); i++) {
            allFound &= PeerMemory.isSomewhere(place(slot, i));
        }
        for (int i = 0; allFound && i < group.size(); i++) {
            peers.found(i, place(slot, i), operation);
        }
    }

    private long place(CollectiveSlot slot, int index) {
        return scratch.get(ValueLayout.JAVA_LONG_UNALIGNED, slot.scratchOf(index));
    }
}
