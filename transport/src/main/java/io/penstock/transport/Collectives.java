package io.penstock.transport;

import java.lang.foreign.MemorySegment;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Operations that all ranks of a group call in the same order, each with the same sizes. Those called {@code start...} return at once;
 * they run one after the other, their bytes move while this thread computes, and whatever this thread itself must do for them (to sum, to
 * post the next chunk) is done by {@link #poll} and {@link #await}: call {@code poll} between pieces of work.
 *
 * <p>Reductions: every rank owns one shard (see {@link #shardBegin}). A rank sends each other rank its piece of that one's shard and
 * sums the pieces of its own shard in rank order, chunk by chunk, the next chunk under way while one is summed. That takes and gives
 * (n-1)/n of the data a rank, and the order of the sum never depends on timing. Where the data of all ranks lie in memory that they can all read
 * (see {@link Endpoint#allocate}), and the reducer keeps its sources, nothing is sent: each sums its shard from there. All-reduce is reduce-scatter, then all-gather of the
 * shards, and so equal to the two bit for bit.
 *
 * <p>Of one thread at a time; it uses the lane of {@link Kind#COLLECTIVE} to the ranks of its group. Memory of an operation must not be
 * touched until it is done. After an exception the group is of no more use.
 */
public final class Collectives {
    private static final int SLOTS = 2;
    private static final int OPERATIONS = 256;
    private static final long ALIGNMENT = 64;
    /** Below this, a round of messages about where the data are takes longer than it saves. */
    private static final long DIRECT_FROM_BYTES = 64 << 10;

    private static final CollectivePass BARRIER = new CollectivePass.Barrier();
    private static final CollectivePass BROADCAST = new CollectivePass.Broadcast();
    private static final CollectivePass ALL_GATHER = new CollectivePass.AllGather();
    private static final CollectivePass GATHER = new CollectivePass.Gather();
    private static final CollectivePass GATHER_SHARDS = new CollectivePass.GatherShards();

    private final Group group;
    private final MemorySegment scratch;
    private final CollectivePass reduceScatter;
    /** Absent where the ranks cannot read each other's memory. */
    private final @Nullable PlacesPass places;

    private final @Nullable CollectivePass directReduce;
    private final CollectiveSlot[] slots = new CollectiveSlot[SLOTS];
    /** A ring: those from {@code first} to {@code next} are started and not given back yet. */
    private final Operation[] operations = new Operation[OPERATIONS];

    private long first;
    private long next;
    /** The operation that runs, its pass (none before its first), and how far its chunks are: posted, arrived, sent. */
    private long current;

    private @Nullable CollectivePass pass;
    private int round;
    private long posted;
    private long arrived;
    private long sent;

    /** Scratch that makes reductions go in chunks of so many bytes. */
    public static long scratchBytes(int groupSize, long chunkBytes) {
        return Math.multiplyExact(SLOTS * (long) groupSize, chunkBytes);
    }

    /** The first of the elements that the index-th of n ranks owns; sizes differ by one at most, the first ones are larger. */
    public static long shardBegin(long elements, int groupSize, int index) {
        return elements / groupSize * index + Math.min(elements % groupSize, index);
    }

    /**
     * @param ranks in ascending order, this one among them
     * @param scratch native memory for pieces on their way, see {@link #scratchBytes}; borrowed
     */
    public Collectives(Endpoint endpoint, int[] ranks, MemorySegment scratch) {
        this.group = new Group(endpoint, ranks);
        this.scratch = scratch;
        long chunkBytes = scratch.byteSize() / (SLOTS * (long) ranks.length) / ALIGNMENT * ALIGNMENT;
        if (chunkBytes == 0) {
            throw new IllegalArgumentException("scratch of " + scratch.byteSize() + " bytes is too small for "
                    + ranks.length + " ranks: " + scratchBytes(ranks.length, ALIGNMENT) + " at least");
        }
        ShardPieces pieces = new ShardPieces(chunkBytes);
        this.reduceScatter = new ReduceScatterPass(ranks.length, scratch, pieces);
        PeerMemory peers = PeerMemory.of(group);
        this.places = peers == null ? null : new PlacesPass(scratch, peers);
        this.directReduce = peers == null ? null : new DirectReducePass(group, pieces, peers);
        for (int i = 0; i < SLOTS; i++) {
            slots[i] = new CollectiveSlot(group, (long) i * ranks.length * chunkBytes, chunkBytes);
        }
        for (int i = 0; i < OPERATIONS; i++) {
            operations[i] = new Operation();
        }
    }

    public int groupSize() {
        return group.size();
    }

    /** The place of this rank in the group. */
    public int groupIndex() {
        return group.self();
    }

    /** Returns when every rank of the group has called it. */
    public void barrier() {
        await(started(Operation.Type.BARRIER, scratch, 0, 0));
    }

    /** Overwrites the data of all ranks with that of the root, an index in the group. */
    public void broadcast(int rootIndex, MemorySegment data, long offset, long length) {
        await(startBroadcast(rootIndex, data, offset, length));
    }

    public Operation startBroadcast(int rootIndex, MemorySegment data, long offset, long length) {
        Objects.checkIndex(rootIndex, group.size());
        Operation operation = started(Operation.Type.BROADCAST, data, offset, length);
        operation.root = rootIndex;
        return operation;
    }

    /** Overwrites the result with the blocks of all ranks in order, each as long as this one's. */
    public void allGather(MemorySegment block, MemorySegment result) {
        await(startAllGather(block, result));
    }

    public Operation startAllGather(MemorySegment block, MemorySegment result) {
        checkResult(block, result);
        Operation operation = started(Operation.Type.ALL_GATHER, block, 0, block.byteSize());
        operation.result = result;
        return operation;
    }

    /** As {@link #allGather} on the root, an index in the group; others may give any result, it is not touched. */
    public void gather(int rootIndex, MemorySegment block, MemorySegment result) {
        await(startGather(rootIndex, block, result));
    }

    public Operation startGather(int rootIndex, MemorySegment block, MemorySegment result) {
        Objects.checkIndex(rootIndex, group.size());
        if (rootIndex == group.self()) {
            checkResult(block, result);
        }
        Operation operation = started(Operation.Type.GATHER, block, 0, block.byteSize());
        operation.root = rootIndex;
        operation.result = result;
        return operation;
    }

    private void checkResult(MemorySegment block, MemorySegment result) {
        if (result.byteSize() != Math.multiplyExact(block.byteSize(), (long) group.size())) {
            throw new IllegalArgumentException("result of " + result.byteSize() + " bytes is not " + group.size()
                    + " blocks of " + block.byteSize());
        }
    }

    /** Overwrites the data of every rank with the sum over all ranks. */
    public void allReduce(MemorySegment data, long offset, long length, Reducer reducer) {
        await(startAllReduce(data, offset, length, reducer));
    }

    public Operation startAllReduce(MemorySegment data, long offset, long length, Reducer reducer) {
        return reducing(Operation.Type.ALL_REDUCE, data, offset, length, reducer);
    }

    /** Overwrites this rank's shard of its data with the sum over all ranks; leaves the other shards as they are. */
    public void reduceScatter(MemorySegment data, long offset, long length, Reducer reducer) {
        await(startReduceScatter(data, offset, length, reducer));
    }

    public Operation startReduceScatter(MemorySegment data, long offset, long length, Reducer reducer) {
        return reducing(Operation.Type.REDUCE_SCATTER, data, offset, length, reducer);
    }

    /** As {@link #startReduceScatter(MemorySegment, long, long, Reducer)} on each part. */
    public Operation startReduceScatter(MemorySegment data, Parts parts, Reducer reducer) {
        parts.checkElements(reducer.elementBytes());
        Operation operation = started(Operation.Type.REDUCE_SCATTER, data, parts, reducer.elementBytes());
        operation.reducer = reducer;
        return operation;
    }

    /** Overwrites every other rank's shard of this rank's data with what that rank holds; the second half of an all-reduce. */
    public void allGatherShards(MemorySegment data, long offset, long length, int elementBytes) {
        await(startAllGatherShards(data, offset, length, elementBytes));
    }

    public Operation startAllGatherShards(MemorySegment data, long offset, long length, int elementBytes) {
        checkElements(length, elementBytes);
        Operation operation = started(Operation.Type.GATHER_SHARDS, data, offset, length);
        operation.elementBytes = elementBytes;
        return operation;
    }

    /** As {@link #startAllGatherShards(MemorySegment, long, long, int)} on each part. */
    public Operation startAllGatherShards(MemorySegment data, Parts parts, int elementBytes) {
        parts.checkElements(elementBytes);
        return started(Operation.Type.GATHER_SHARDS, data, parts, elementBytes);
    }

    private Operation started(Operation.Type type, MemorySegment data, Parts parts, int elementBytes) {
        Operation operation = started(type, data, parts.offset(0), parts.span());
        operation.parts = parts;
        operation.elementBytes = elementBytes;
        return operation;
    }

    private Operation reducing(Operation.Type type, MemorySegment data, long offset, long length, Reducer reducer) {
        checkElements(length, reducer.elementBytes());
        Operation operation = started(type, data, offset, length);
        operation.elementBytes = reducer.elementBytes();
        operation.reducer = reducer;
        return operation;
    }

    private static void checkElements(long length, int elementBytes) {
        if (length % elementBytes != 0) {
            throw new IllegalArgumentException("length=" + length + " % elementBytes=" + elementBytes + " != 0");
        }
    }

    private Operation started(Operation.Type type, MemorySegment data, long offset, long length) {
        Objects.checkFromIndexSize(offset, length, data.byteSize());
        while (first < next && !operation(first).running) {
            first++;
        }
        if (next - first == OPERATIONS) {
            throw new IllegalStateException(OPERATIONS + " collective operations are in flight: await some");
        }
        Operation operation = operation(next++);
        operation.start(type, data, offset, length);
        return operation;
    }

    private Operation operation(long number) {
        return operations[(int) (number % OPERATIONS)];
    }

    /** Whether {@link #await} would return at once; see {@link #poll} for how it comes to that. */
    public boolean isDone(Operation operation) {
        return operation.done;
    }

    /**
     * Does what can be done without waiting. Returns whether all operations are done.
     *
     * @throws PeerLostException if a rank is known to be lost
     */
    public boolean poll() {
        if (!advance() && current < next) {
            group.endpoint().check();
        }
        return current == next;
    }

    /** Waits until the operation is done, and those started before it; an operation is awaited once, and not used after. */
    public void await(Operation operation) {
        if (!operation.running) {
            throw new IllegalStateException("this operation was awaited before");
        }
        while (!operation.done) {
            if (!advance()) {
                long oldest = sent < arrived ? sent : arrived;
                slots[(int) (oldest % SLOTS)].awaitOne();
            }
        }
        operation.free();
    }

    /** Returns whether anything moved. */
    private boolean advance() {
        boolean moved = false;
        while (current < next && advanceCurrent()) {
            moved = true;
        }
        return moved;
    }

    private boolean advanceCurrent() {
        Operation operation = operation(current);
        CollectivePass now = pass == null ? firstPass(operation) : pass;
        pass = now;
        long chunks = now.chunks(group, operation);
        if (sent == chunks) {
            endPass(operation, now);
            return true;
        }
        if (posted < chunks && posted - sent < SLOTS) {
            round += posted == 0 ? 1 : 0;
            now.post(group, operation, round, (int) posted, slots[(int) (posted % SLOTS)]);
            posted++;
            return true;
        }
        if (arrived < posted && slots[(int) (arrived % SLOTS)].hasReceived()) {
            now.arrived(group, operation, round, (int) arrived, slots[(int) (arrived % SLOTS)]);
            arrived++;
            return true;
        }
        if (sent < arrived && slots[(int) (sent % SLOTS)].hasSent()) {
            sent++;
            return true;
        }
        return false;
    }

    private void endPass(Operation operation, CollectivePass ended) {
        posted = 0;
        arrived = 0;
        sent = 0;
        pass = passAfter(operation, ended);
        if (pass == null) {
            operation.done = true;
            current++;
        }
    }

    private CollectivePass firstPass(Operation operation) {
        return switch (operation.type) {
            case BARRIER -> BARRIER;
            case BROADCAST -> BROADCAST;
            case ALL_GATHER -> ALL_GATHER;
            case GATHER -> GATHER;
            case GATHER_SHARDS -> GATHER_SHARDS;
            case REDUCE_SCATTER, ALL_REDUCE -> places != null && mayBeDirect(operation) ? places : reduceScatter;
        };
    }

    /** The same on every rank. */
    private static boolean mayBeDirect(Operation operation) {
        return operation.bytes() >= DIRECT_FROM_BYTES
                && Objects.requireNonNull(operation.reducer).keepsSources();
    }

    private @Nullable CollectivePass passAfter(Operation operation, CollectivePass ended) {
        if (places != null && ended == places) {
            return places.allFound() ? directReduce : reduceScatter;
        }
        if (ended == reduceScatter || ended == directReduce) {
            boolean goesOn = operation.type == Operation.Type.ALL_REDUCE;
            // Nobody may touch its data before all have read them: what all-reduce does next tells that too.
            return goesOn ? GATHER_SHARDS : ended == directReduce ? BARRIER : null;
        }
        return null;
    }
}
