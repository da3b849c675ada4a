package io.penstock.partitioner.memory;

/**
 * The pieces in which a parameter's sum of squares is taken, whatever the number of replicas that share the work: {@link #COUNT} of equal size, more only for more replicas.
 * Their sums are added in order, so that the gradient norm has the same bits on every layout.
 *
 * @param elements of the parameter
 * @param replicas that share it
 */
public record Segments(long elements, int replicas) {
    /** So many replicas at most come to the same bits as one. */
    public static final int COUNT = 8;

    /** Elements; a vector register of floats. */
    private static final long ALIGNMENT = 16;

    public int count() {
        return Math.max(COUNT, replicas);
    }

    public int perReplica() {
        return count() / replicas;
    }

    /** Elements of a segment; the last ones may hold fewer, or none. */
    public long size() {
        long even = Math.ceilDiv(elements, (long) count());
        return Math.ceilDiv(even, ALIGNMENT) * ALIGNMENT;
    }

    public long paddedElements() {
        return Math.multiplyExact(size(), (long) count());
    }

    /** The first element of a segment. */
    public long begin(int segment) {
        return Math.min(elements, segment * size());
    }
}
