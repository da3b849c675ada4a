package io.penstock.tensor;

/** Whether two tensors share elements: an output that overlaps an input is right on a backend that reads all first and wrong on the next one. */
final class Overlap {
    private Overlap() {}

    /** Exact for tensors of one row stride (blocks of columns of one matrix); else any common address range counts. Heap memory is not looked at. */
    static boolean between(Tensor a, Tensor b) {
        if (a.elements() == 0
                || b.elements() == 0
                || !a.segment().isNative()
                || !b.segment().isNative()) {
            return false;
        }
        long startA = a.address();
        long startB = b.address();
        if (startA + spanBytes(a) <= startB || startB + spanBytes(b) <= startA) {
            return false;
        }
        long strideBytes = a.rowStride() * a.dtype().bytes();
        if (strideBytes != b.rowStride() * b.dtype().bytes()) {
            return true;
        }
        long columnOfB = Math.floorMod(startB - startA, strideBytes);
        return columnOfB < rowBytes(a) || columnOfB + rowBytes(b) > strideBytes;
    }

    /** Whether both are the same elements in the same places. */
    static boolean same(Tensor a, Tensor b) {
        return a.address() == b.address()
                && a.dtype() == b.dtype()
                && a.shape().last() == b.shape().last()
                && (a.rowStride() == b.rowStride() || a.shape().rows() <= 1);
    }

    private static long rowBytes(Tensor x) {
        return x.shape().last() * x.dtype().bytes();
    }

    private static long spanBytes(Tensor x) {
        return ((x.shape().rows() - 1) * x.rowStride() + x.shape().last())
                * x.dtype().bytes();
    }
}
