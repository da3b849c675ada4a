package io.penstock.models.parallel;

import io.penstock.tensor.Shape;

/**
 * How a tensor-parallel group shares things out, seen from one rank: of n things rank i holds consecutive ones, one more on the first n mod size ranks.
 *
 * @param size ranks of the group; 1 for whole layers
 * @param index of this rank, 0 to size - 1
 * @param sequenceParallel whether norms, residuals and what goes from layer to layer are shared out by tokens instead of repeated (Korthikanti et al. 2022)
 */
public record TensorSplit(int size, int index, boolean sequenceParallel) {
    /** Layers are whole. */
    public static final TensorSplit WHOLE = new TensorSplit(1, 0, false);

    public TensorSplit {
        if (size < 1 || index < 0 || index >= size) {
            throw new IllegalArgumentException("tensor-parallel rank " + index + " of " + size);
        }
        // alone there is nobody to share tokens with
        sequenceParallel &= size > 1;
    }

    public boolean isWhole() {
        return size == 1;
    }

    /** The first of the things that rank {@code rank} of {@code size} holds; {@code count} for rank = size. */
    public static long begin(long count, int size, int rank) {
        return count / size * rank + Math.min(count % size, rank);
    }

    /** The first of {@code count} things that this rank holds. */
    public long begin(long count) {
        return begin(count, size, index);
    }

    /** How many of {@code count} things this rank holds. */
    public long part(long count) {
        return begin(count, size, index + 1) - begin(count);
    }

    /** The largest part of any rank. */
    public long largestPart(long count) {
        return Math.ceilDiv(count, (long) size);
    }

    /** The shape that a rank holds between layers of (batch, sequence, columns) activations: all of it, or some rows (tokens). */
    public Shape held(int batch, int sequence, long columns) {
        return sequenceParallel ? Shape.of(part((long) batch * sequence), columns) : Shape.of(batch, sequence, columns);
    }

    /** {@link #held} of one number a token. */
    public Shape held(int batch, int sequence) {
        return sequenceParallel ? Shape.of(part((long) batch * sequence)) : Shape.of(batch, sequence);
    }
}
