package io.penstock.transport;

import java.lang.foreign.MemorySegment;
import java.util.Objects;

/** The piece of each other one's shard to that one; the pieces of this rank's shard are summed in rank order when all are here. */
final class ReduceScatterPass implements CollectivePass {
    private static final Tag TAG = new Tag(Kind.COLLECTIVE, 3);

    private final MemorySegment scratch;
    private final ShardPieces pieces;
    private final MemorySegment[] sources;
    private final long[] sourceOffsets;

    ReduceScatterPass(int groupSize, MemorySegment scratch, ShardPieces pieces) {
        this.scratch = scratch;
        this.pieces = pieces;
        this.sources = new MemorySegment[groupSize];
        this.sourceOffsets = new long[groupSize];
    }

    @Override
    public long chunks(Group group, Operation operation) {
        return pieces.chunks(group, operation);
    }

    @Override
    public void post(Group group, Operation operation, int round, int chunk, CollectiveSlot slot) {
        long mine = pieces.bytes(group, operation, group.self(), chunk);
        for (int i = 1; i < group.size(); i++) {
            if (mine > 0) {
                int from = group.before(i);
                slot.receive(from, TAG, round, chunk, scratch, slot.scratchOf(from), mine);
            }
        }
        for (int i = 1; i < group.size(); i++) {
            int to = group.after(i);
            long bytes = pieces.bytes(group, operation, to, chunk);
            if (bytes > 0) {
                long begin = pieces.begin(group, operation, to, chunk);
                slot.send(to, TAG, round, chunk, operation.data, begin, bytes);
            }
        }
    }

    @Override
    public void arrived(Group group, Operation operation, int round, int chunk, CollectiveSlot slot) {
        long length = pieces.bytes(group, operation, group.self(), chunk);
        if (length == 0) {
            return;
        }
        long begin = pieces.begin(group, operation, group.self(), chunk);
        for (int i = 0; i < group.size(); i++) {
            sources[i] = i == group.self() ? operation.data : scratch;
            sourceOffsets[i] = i == group.self() ? begin : slot.scratchOf(i);
        }
        Objects.requireNonNull(operation.reducer).reduce(operation.data, begin, sources, sourceOffsets, length);
    }
}
