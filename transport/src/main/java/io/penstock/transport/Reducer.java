package io.penstock.transport;

import java.lang.foreign.MemorySegment;

/** Adds up what several ranks hold; given by the caller, since the transport knows no number format. */
public interface Reducer {
    /** Bytes of one element; blocks are cut between elements. */
    int elementBytes();

    /**
     * Whether {@link #reduce} only reads its sources, apart from the one that is the destination. Then it may be given other ranks' memory, which
     * is read-only, instead of copies. The same on every rank.
     */
    default boolean keepsSources() {
        return false;
    }

    /**
     * Overwrites {@code length} bytes of the destination with the element-wise sum of all sources, taken in the order of the array, which
     * is that of the ranks; in which tree it adds them is its own choice, the same on every rank and for every length. The destination may
     * be the very memory of one source, at the same offset. The sources are this rank's to spoil, a reducer may keep partial sums in them,
     * unless it {@linkplain #keepsSources says} that it does not.
     */
    void reduce(MemorySegment destination, long offset, MemorySegment[] sources, long[] sourceOffsets, long length);
}
