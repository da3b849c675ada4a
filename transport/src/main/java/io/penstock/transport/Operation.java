package io.penstock.transport;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** A collective operation that was started; a reusable handle that belongs to its {@link Collectives}, of one thread. */
public final class Operation {
    /** What it does; each is one pass of chunks over the group, all-reduce two. */
    enum Type {
        BARRIER,
        BROADCAST,
        ALL_GATHER,
        GATHER,
        REDUCE_SCATTER,
        GATHER_SHARDS,
        ALL_REDUCE
    }

    Type type = Type.BARRIER;
    int root;
    MemorySegment data = MemorySegment.NULL;
    /** Where all-gather and gather put the blocks. */
    MemorySegment result = MemorySegment.NULL;

    long offset;
    /** From {@code offset} on, with what lies between its parts. */
    long length;
    /** Absent where the data are one. */
    @Nullable
    Parts parts;

    int elementBytes = 1;

    @Nullable
    Reducer reducer;

    boolean running;
    boolean done;

    Operation() {}

    void start(Type what, MemorySegment memory, long from, long bytes) {
        type = what;
        data = memory;
        result = memory;
        root = 0;
        offset = from;
        length = bytes;
        parts = null;
        elementBytes = 1;
        reducer = null;
        running = true;
        done = false;
    }

    void free() {
        data = MemorySegment.NULL;
        result = MemorySegment.NULL;
        parts = null;
        reducer = null;
        running = false;
    }

    int partCount() {
        return parts == null ? 1 : parts.count();
    }

    /** Of the data alone. */
    long bytes() {
        return parts == null ? length : parts.bytes();
    }

    /** In the data. */
    long partOffset(int part) {
        return parts == null ? offset : parts.offset(part);
    }

    long partElements(int part) {
        return (parts == null ? length : parts.length(part)) / elementBytes;
    }

    /** Where the shard of the index-th of n ranks begins in the data. */
    long shardBegin(int part, int groupSize, int index) {
        return partOffset(part) + Collectives.shardBegin(partElements(part), groupSize, index) * elementBytes;
    }

    @Override
    public String toString() {
        return type + " of " + bytes() + " bytes";
    }
}
