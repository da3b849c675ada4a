package io.penstock.partitioner.estimate;

/**
 * What of a model one pipeline rank, or one of its stages, holds.
 *
 * @param blocks transformer blocks
 * @param first whether it holds the embedding
 * @param last whether it holds the head
 */
record Share(int blocks, boolean first, boolean last) {
    /** Of layers {@code from} to {@code to} of embedding, {@code layers} blocks, head. */
    static Share of(int from, int to, int layers) {
        return new Share(Math.max(0, Math.min(to, layers + 1) - Math.max(from, 1)), from == 0, to == layers + 2);
    }

    Share plus(Share other) {
        return new Share(blocks + other.blocks, first || other.first, last || other.last);
    }
}
