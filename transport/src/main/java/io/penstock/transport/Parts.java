package io.penstock.transport;

/** Pieces of one memory that an operation takes together, each cut into shards of its own: one meeting of the ranks for all. The same on every rank; immutable. */
public final class Parts {
    private final long[] offsets;
    private final long[] lengths;

    /** Bytes from the beginning of the memory; at least one part, in ascending order, none over another. */
    public Parts(long[] offsets, long[] lengths) {
        if (offsets.length != lengths.length || offsets.length == 0) {
            throw new IllegalArgumentException(offsets.length + " offsets and " + lengths.length + " lengths of parts");
        }
        this.offsets = offsets.clone();
        this.lengths = lengths.clone();
        for (int i = 0; i < lengths.length; i++) {
            long free = i == 0 ? 0 : end(i - 1);
            if (offsets[i] < free || lengths[i] < 0) {
                throw new IllegalArgumentException("part " + i + " of " + lengths[i] + " bytes begins at " + offsets[i]
                        + ", the one before it ends at " + free);
            }
        }
    }

    int count() {
        return lengths.length;
    }

    long offset(int part) {
        return offsets[part];
    }

    long length(int part) {
        return lengths[part];
    }

    private long end(int part) {
        return offsets[part] + lengths[part];
    }

    long bytes() {
        long sum = 0;
        for (int i = 0; i < lengths.length; i++) {
            sum += lengths[i];
        }
        return sum;
    }

    /** From the beginning of the first to the end of the last. */
    long span() {
        return end(lengths.length - 1) - offsets[0];
    }

    void checkElements(int elementBytes) {
        for (int i = 0; i < lengths.length; i++) {
            if (lengths[i] % elementBytes != 0) {
                throw new IllegalArgumentException(
                        "part " + i + ": length=" + lengths[i] + " % elementBytes=" + elementBytes + " != 0");
            }
        }
    }
}
