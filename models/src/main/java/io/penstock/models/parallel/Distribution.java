package io.penstock.models.parallel;

import io.penstock.tensor.Shape;
import io.penstock.tensor.Tensor;
import java.lang.foreign.MemorySegment;

/** What a rank of a tensor-parallel group holds of a parameter. Indices are row-major. */
public sealed interface Distribution {
    /** The place in the whole parameter of an element of this rank's part. */
    long wholeIndex(long partIndex);

    /** Calls {@code run} for every stretch of elements that is consecutive in the part and in the whole, in order; they cover {@code count} of the part from {@code first} on. */
    void forEachRun(long first, long count, Run run);

    /** {@code count} elements from {@code part} on, in the part, which are those from {@code whole} on, in the whole. */
    @FunctionalInterface
    interface Run {
        void accept(long part, long whole, long count);
    }

    /** All of the parameter. {@code partialGradient}: each rank finds the gradient of its own tokens, the whole one is the sum over the group; else all find the same. */
    record Replicated(boolean partialGradient) implements Distribution {
        /** Every rank finds the whole gradient. */
        public static final Replicated WHOLE_GRADIENT = new Replicated(false);

        public static final Replicated PARTIAL_GRADIENT = new Replicated(true);

        @Override
        public long wholeIndex(long partIndex) {
            return partIndex;
        }

        @Override
        public void forEachRun(long first, long count, Run run) {
            run.accept(first, first, count);
        }
    }

    /**
     * One part of each of {@code blocks} equal blocks along {@code dim}: one block for a plain split, three for [q k v], each split by heads.
     *
     * <pre>
     * blocks = 3, size = 2:   | q part 0 | q part 1 | k part 0 | k part 1 | v part 0 | v part 1 |
     * index 1 holds                      | q part 1 |          | k part 1 |          | v part 1 |
     * </pre>
     */
    record Split(Shape whole, int dim, int blocks, int size, int index) implements Distribution {
        public Split {
            if (dim < 0 || dim >= whole.rank() || blocks < 1 || whole.dim(dim) % blocks != 0) {
                throw new IllegalArgumentException("dim " + dim + " of " + whole + " in " + blocks + " blocks");
            }
            if (whole.dim(dim) / blocks < size) {
                throw new IllegalArgumentException("dim " + dim + " of " + whole + " in " + blocks
                        + " blocks is too small for " + size + " parts");
            }
        }

        private long blockSize() {
            return whole.dim(dim) / blocks;
        }

        private long begin() {
            return TensorSplit.begin(blockSize(), size, index);
        }

        private long partOfBlock() {
            return TensorSplit.begin(blockSize(), size, index + 1) - begin();
        }

        /** Elements behind one index of {@code dim}. */
        private long inner() {
            long elements = 1;
            for (int i = dim + 1; i < whole.rank(); i++) {
                elements *= whole.dim(i);
            }
            return elements;
        }

        /** The shape of the part. */
        public Shape shape() {
            long[] dims = new long[whole.rank()];
            for (int i = 0; i < dims.length; i++) {
                dims[i] = i == dim ? blocks * partOfBlock() : whole.dim(i);
            }
            return Shape.of(dims);
        }

        @Override
        public long wholeIndex(long partIndex) {
            long run = partOfBlock() * inner();
            return wholeBegin(partIndex / run) + partIndex % run;
        }

        /** Run {@code number} is block {@code number % blocks} of one index of the dims before {@code dim}. */
        private long wholeBegin(long number) {
            return (number * blockSize() + begin()) * inner();
        }

        @Override
        public void forEachRun(long first, long count, Run run) {
            long length = partOfBlock() * inner();
            long end = first + count;
            for (long at = first; at < end; ) {
                long until = Math.min(end, (at / length + 1) * length);
                run.accept(at, wholeIndex(at), until - at);
                at = until;
            }
        }
    }

    /** Overwrites {@code part} with its elements of {@code whole}; contiguous host memory, one dtype. */
    default void copyFromWhole(Tensor part, Tensor whole) {
        long bytes = part.dtype().bytes();
        forEachRun(
                0,
                part.elements(),
                (from, at, count) ->
                        MemorySegment.copy(whole.segment(), at * bytes, part.segment(), from * bytes, count * bytes));
    }

    /** Overwrites the elements of {@code whole} that {@code part} holds; contiguous host memory, one dtype. */
    default void copyToWhole(Tensor whole, Tensor part) {
        long bytes = part.dtype().bytes();
        forEachRun(
                0,
                part.elements(),
                (from, at, count) ->
                        MemorySegment.copy(part.segment(), from * bytes, whole.segment(), at * bytes, count * bytes));
    }
}
