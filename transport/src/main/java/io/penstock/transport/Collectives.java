package io.penstock.transport;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Operations that all ranks of a group call in the same order, each with the same sizes; they block until this rank's part is done.
 *
 * <p>Reductions: every rank owns one shard (see {@link #shardBegin}). A rank sends each other rank its piece of that one's shard and
 * sums the pieces of its own shard in rank order, chunk by chunk, the next chunk under way while one is summed. That takes and gives
 * (n-1)/n of the data a rank, and the order of the sum never depends on timing. All-reduce is reduce-scatter, then all-gather.
 *
 * <p>Of one thread at a time; it uses the lane of {@link Kind#COLLECTIVE} to the ranks of its group.
 */
public final class Collectives {
    private static final Tag BARRIER = new Tag(Kind.COLLECTIVE, 0);
    private static final Tag BROADCAST = new Tag(Kind.COLLECTIVE, 1);
    private static final Tag GATHER_BLOCKS = new Tag(Kind.COLLECTIVE, 2);
    private static final Tag REDUCE_SCATTER = new Tag(Kind.COLLECTIVE, 3);
    private static final Tag GATHER_SHARDS = new Tag(Kind.COLLECTIVE, 4);
    private static final int SLOTS = 2;
    private static final long ALIGNMENT = 64;

    private final Endpoint endpoint;
    private final int[] group;
    private final int self;
    private final MemorySegment scratch;
    private final long chunkBytes;
    /** By slot and index in the group. */
    private final @Nullable Transfer[][] sends;

    private final @Nullable Transfer[][] receives;
    private final MemorySegment[] sources;
    private final long[] sourceOffsets;
    private int round;

    /** Scratch that makes reductions go in chunks of so many bytes. */
    public static long scratchBytes(int groupSize, long chunkBytes) {
        return Math.multiplyExact(SLOTS * (long) groupSize, chunkBytes);
    }

    /** The first of the elements that the index-th of n ranks owns; sizes differ by one at most, the first ones are larger. */
    public static long shardBegin(long elements, int groupSize, int index) {
        return elements / groupSize * index + Math.min(elements % groupSize, index);
    }

    /**
     * @param group ranks in ascending order, this one among them
     * @param scratch native memory for pieces on their way, see {@link #scratchBytes}; borrowed
     */
    public Collectives(Endpoint endpoint, int[] group, MemorySegment scratch) {
        this.endpoint = endpoint;
        this.group = group.clone();
        this.self = indexOf(endpoint.rank(), group);
        this.scratch = scratch;
        this.chunkBytes = scratch.byteSize() / (SLOTS * (long) group.length) / ALIGNMENT * ALIGNMENT;
        if (chunkBytes == 0) {
            throw new IllegalArgumentException("scratch of " + scratch.byteSize() + " bytes is too small for "
                    + group.length + " ranks: " + scratchBytes(group.length, ALIGNMENT) + " at least");
        }
        this.sends = new Transfer[SLOTS][group.length];
        this.receives = new Transfer[SLOTS][group.length];
        this.sources = new MemorySegment[group.length];
        this.sourceOffsets = new long[group.length];
    }

    private static int indexOf(int rank, int[] group) {
        int found = -1;
        for (int i = 0; i < group.length; i++) {
            if (i > 0 && group[i - 1] >= group[i]) {
                throw new IllegalArgumentException("ranks of a group must ascend: " + Arrays.toString(group));
            }
            found = group[i] == rank ? i : found;
        }
        if (found < 0) {
            throw new IllegalArgumentException("rank " + rank + " is not in the group " + Arrays.toString(group));
        }
        return found;
    }

    public int groupSize() {
        return group.length;
    }

    /** The place of this rank in the group. */
    public int groupIndex() {
        return self;
    }

    /** Returns when every rank of the group has called it. */
    public void barrier() {
        round++;
        for (int i = 0; i < group.length; i++) {
            receive(0, i, BARRIER, 0, scratch, 0, 0);
            send(0, i, BARRIER, 0, scratch, 0, 0);
        }
        awaitAll(0);
    }

    /** Overwrites the data of all ranks with that of the root, an index in the group. */
    public void broadcast(int rootIndex, MemorySegment data, long offset, long length) {
        Objects.checkIndex(rootIndex, group.length);
        round++;
        if (self == rootIndex) {
            for (int i = 0; i < group.length; i++) {
                send(0, i, BROADCAST, 0, data, offset, length);
            }
        } else {
            receive(0, rootIndex, BROADCAST, 0, data, offset, length);
        }
        awaitAll(0);
    }

    /** Overwrites the result with the blocks of all ranks in order, each as long as this one's. */
    public void allGather(MemorySegment block, MemorySegment result) {
        long length = block.byteSize();
        if (result.byteSize() != Math.multiplyExact(length, (long) group.length)) {
            throw new IllegalArgumentException(
                    "result of " + result.byteSize() + " bytes is not " + group.length + " blocks of " + length);
        }
        round++;
        for (int i = 0; i < group.length; i++) {
            receive(0, i, GATHER_BLOCKS, 0, result, i * length, length);
            send(0, i, GATHER_BLOCKS, 0, block, 0, length);
        }
        MemorySegment.copy(block, 0, result, self * length, length);
        awaitAll(0);
    }

    /** Overwrites the data of every rank with the sum over all ranks. */
    public void allReduce(MemorySegment data, long offset, long length, Reducer reducer) {
        reduceScatter(data, offset, length, reducer);
        allGatherShards(data, offset, length, reducer.elementBytes());
    }

    /** Overwrites this rank's shard of its data with the sum over all ranks; leaves the other shards as they are. */
    public void reduceScatter(MemorySegment data, long offset, long length, Reducer reducer) {
        long elements = elements(length, reducer.elementBytes());
        long width = reducer.elementBytes();
        long chunkElements = chunkBytes / width;
        long chunks = ceilDiv(shardElements(elements, 0), chunkElements);
        round++;
        for (long chunk = 0; chunk <= chunks; chunk++) {
            if (chunk < chunks) {
                exchange(data, offset, elements, width, chunk, chunkElements);
            }
            if (chunk > 0) {
                sum(data, offset, elements, width, chunk - 1, chunkElements, reducer);
            }
        }
    }

    private void exchange(MemorySegment data, long offset, long elements, long width, long chunk, long chunkElements) {
        int slot = (int) (chunk % SLOTS);
        long mine = pieceElements(elements, self, chunk, chunkElements) * width;
        for (int i = 0; i < group.length; i++) {
            if (mine > 0) {
                receive(slot, i, REDUCE_SCATTER, (int) chunk, scratch, scratchOffset(slot, i), mine);
            }
        }
        for (int i = 0; i < group.length; i++) {
            long piece = pieceElements(elements, i, chunk, chunkElements) * width;
            if (piece > 0) {
                long begin = (shardBegin(elements, group.length, i) + chunk * chunkElements) * width;
                send(slot, i, REDUCE_SCATTER, (int) chunk, data, offset + begin, piece);
            }
        }
    }

    private void sum(
            MemorySegment data,
            long offset,
            long elements,
            long width,
            long chunk,
            long chunkElements,
            Reducer reducer) {
        int slot = (int) (chunk % SLOTS);
        awaitAll(receives[slot]);
        long length = pieceElements(elements, self, chunk, chunkElements) * width;
        if (length > 0) {
            long begin = offset + (shardBegin(elements, group.length, self) + chunk * chunkElements) * width;
            for (int i = 0; i < group.length; i++) {
                sources[i] = i == self ? data : scratch;
                sourceOffsets[i] = i == self ? begin : scratchOffset(slot, i);
            }
            reducer.reduce(data, begin, sources, sourceOffsets, length);
        }
        awaitAll(sends[slot]);
    }

    /** Overwrites every other rank's shard of this rank's data with what that rank holds; the second half of an all-reduce. */
    public void allGatherShards(MemorySegment data, long offset, long length, int elementBytes) {
        long elements = elements(length, elementBytes);
        round++;
        for (int i = 0; i < group.length; i++) {
            long begin = offset + shardBegin(elements, group.length, i) * elementBytes;
            receive(0, i, GATHER_SHARDS, 0, data, begin, shardElements(elements, i) * elementBytes);
        }
        long begin = offset + shardBegin(elements, group.length, self) * elementBytes;
        for (int i = 0; i < group.length; i++) {
            send(0, i, GATHER_SHARDS, 0, data, begin, shardElements(elements, self) * elementBytes);
        }
        awaitAll(0);
    }

    private static long elements(long length, int elementBytes) {
        if (length % elementBytes != 0) {
            throw new IllegalArgumentException("length=" + length + " % elementBytes=" + elementBytes + " != 0");
        }
        return length / elementBytes;
    }

    private static long ceilDiv(long a, long b) {
        return (a + b - 1) / b;
    }

    private long shardElements(long elements, int index) {
        return shardBegin(elements, group.length, index + 1) - shardBegin(elements, group.length, index);
    }

    private long pieceElements(long elements, int index, long chunk, long chunkElements) {
        return Math.clamp(shardElements(elements, index) - chunk * chunkElements, 0L, chunkElements);
    }

    private long scratchOffset(int slot, int index) {
        return (slot * (long) group.length + index) * chunkBytes;
    }

    private void send(int slot, int index, Tag tag, int chunk, MemorySegment data, long offset, long length) {
        if (index != self) {
            sends[slot][index] = endpoint.send(group[index], tag, round, chunk, data, offset, length);
        }
    }

    private void receive(int slot, int index, Tag tag, int chunk, MemorySegment data, long offset, long length) {
        if (index != self) {
            receives[slot][index] = endpoint.receive(group[index], tag, round, chunk, data, offset, length);
        }
    }

    private void awaitAll(int slot) {
        awaitAll(receives[slot]);
        awaitAll(sends[slot]);
    }

    private void awaitAll(@Nullable Transfer[] transfers) {
        for (int i = 0; i < transfers.length; i++) {
            Transfer transfer = transfers[i];
            if (transfer != null) {
                transfers[i] = null;
                endpoint.await(transfer);
            }
        }
    }
}
