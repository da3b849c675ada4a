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
    long length;
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
        elementBytes = 1;
        reducer = null;
        running = true;
        done = false;
    }

    void free() {
        data = MemorySegment.NULL;
        result = MemorySegment.NULL;
        reducer = null;
        running = false;
    }

    @Override
    public String toString() {
        return type + " of " + length + " bytes";
    }
}
