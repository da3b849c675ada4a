package io.penstock.transport;

import java.lang.foreign.MemorySegment;
import java.util.Objects;

/** The piece of each other one's shard to that one; the pieces of this rank's shard are summed in rank order when all are here. */
final class ReduceScatterPass implements CollectivePass {
    private static final Tag TAG = new Tag(Kind.COLLECTIVE, 3);

    private final MemorySegment scratch;
    private final long chunkBytes;
    private final MemorySegment[] sources;
    private final long[] sourceOffsets;

    ReduceScatterPass(int groupSize, MemorySegment scratch, long chunkBytes) {
        this.scratch = scratch;
        this.chunkBytes = chunkBytes;
        this.sources = new MemorySegment[groupSize];
        this.sourceOffsets = new long[groupSize];
    }

    @Override
    public long chunks(Group group, Operation operation) {
        long elements = operation.length / operation.elementBytes;
        return Math.ceilDiv(Collectives.shardBegin(elements, group.size(), 1), chunkElements(operation));
    }

    @Override
    public void post(Group group, Operation operation, int round, int chunk, CollectiveSlot slot) {
        long mine = pieceBytes(group, operation, group.self(), chunk);
        for (int i = 1; i < group.size(); i++) {
            if (mine > 0) {
                int from = group.before(i);
                slot.receive(from, TAG, round, chunk, scratch, slot.scratchOf(from), mine);
            }
        }
        for (int i = 1; i < group.size(); i++) {
            int to = group.after(i);
            long piece = pieceBytes(group, operation, to, chunk);
            if (piece > 0) {
                slot.send(to, TAG, round, chunk, operation.data, pieceBegin(group, operation, to, chunk), piece);
            }
        }
    }

    @Override
    public void arrived(Group group, Operation operation, int round, int chunk, CollectiveSlot slot) {
        long length = pieceBytes(group, operation, group.self(), chunk);
        if (length == 0) {
            return;
        }
        long begin = pieceBegin(group, operation, group.self(), chunk);
        for (int i = 0; i < group.size(); i++) {
            sources[i] = i == group.self() ? operation.data : scratch;
            sourceOffsets[i] = i == group.self() ? begin : slot.scratchOf(i);
        }
        Objects.requireNonNull(operation.reducer).reduce(operation.data, begin, sources, sourceOffsets, length);
    }

    private long chunkElements(Operation operation) {
        return chunkBytes / operation.elementBytes;
    }

    private long pieceBegin(Group group, Operation operation, int index, int chunk) {
        long elements = operation.length / operation.elementBytes;
        long first = Collectives.shardBegin(elements, group.size(), index) + chunk * chunkElements(operation);
        return operation.offset + first * operation.elementBytes;
    }

    private long pieceBytes(Group group, Operation operation, int index, int chunk) {
        long elements = operation.length / operation.elementBytes;
        long shard = Collectives.shardBegin(elements, group.size(), index + 1)
                - Collectives.shardBegin(elements, group.size(), index);
        long piece = Math.clamp(shard - chunk * chunkElements(operation), 0L, chunkElements(operation));
        return piece * operation.elementBytes;
    }
}
