package io.penstock.tensor;

import java.util.Arrays;

/** The dims of a tensor, outermost first; at least one dim, none negative. */
public final class Shape {
    private final long[] dims;
    private final long elements;

    private Shape(long[] dims) {
        if (dims.length == 0) {
            throw new IllegalArgumentException("a shape needs at least one dim");
        }
        long product = 1;
        for (long dim : dims) {
            if (dim < 0) {
                throw new IllegalArgumentException("negative dim in " + Arrays.toString(dims));
            }
            product = Math.multiplyExact(product, dim);
        }
        this.dims = dims;
        this.elements = product;
    }

    public static Shape of(long... dims) {
        return new Shape(dims.clone());
    }

    public int rank() {
        return dims.length;
    }

    public long dim(int index) {
        return dims[index];
    }

    /** The innermost dim. */
    public long last() {
        return dims[dims.length - 1];
    }

    /** Rows of the tensor seen as a matrix of {@link #last()} columns. */
    public long rows() {
        return last() == 0 ? 0 : elements / last();
    }

    public long elements() {
        return elements;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Shape shape && Arrays.equals(dims, shape.dims);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(dims);
    }

    @Override
    public String toString() {
        return Arrays.toString(dims);
    }
}
