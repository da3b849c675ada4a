package io.penstock.transport;

import java.util.Objects;

/** This rank's shard is summed straight from the memory of all ranks, chunk by chunk; nothing is sent. */
final class DirectReducePass implements CollectivePass {
    private final ShardPieces pieces;
    private final PeerMemory peers;
    private final long[] offsets;

    DirectReducePass(Group group, ShardPieces pieces, PeerMemory peers) {
        this.pieces = pieces;
        this.peers = peers;
        this.offsets = new long[group.size()];
    }

    @Override
    public long chunks(Group group, Operation operation) {
        return pieces.chunks(group, operation);
    }

    @Override
    public void post(Group group, Operation operation, int round, int chunk, CollectiveSlot slot) {}

    @Override
    public void arrived(Group group, Operation operation, int round, int chunk, CollectiveSlot slot) {
        long length = pieces.bytes(group, operation, group.self(), chunk);
        if (length == 0) {
            return;
        }
        long begin = pieces.begin(group, operation, group.self(), chunk);
        for (int i = 0; i < group.size(); i++) {
            offsets[i] = peers.offset(i) + begin - operation.offset;
        }
        Reducer reducer = Objects.requireNonNull(operation.reducer);
        reducer.reduce(operation.data, begin, peers.memory(), offsets, length);
    }
}
