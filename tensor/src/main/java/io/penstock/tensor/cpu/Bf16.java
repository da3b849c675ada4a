package io.penstock.tensor.cpu;

/**
 * BF16 in memory to and from F32 in memory, through a piece of a thread's area that stays in the first cache: for what is not worth a loop of each type. {@code half}
 * says that a side is BF16, else F32; a branch on it inside a vector loop made C2 keep vectors as objects.
 */
final class Bf16 {
    private Bf16() {}

    /** The F32 values of n elements at x: where they lie if they are F32, else widened to {@code scratch}. */
    static long read(boolean half, long x, long scratch, long n) {
        if (half) {
            VectorBf16.widen(scratch, x, n);
            return scratch;
        }
        return x;
    }

    /** Where a kernel is to leave F32 results that {@link #flush} takes to y. */
    static long target(boolean half, long y, long scratch) {
        return half ? scratch : y;
    }

    /** Rounds n results at {@code scratch} to y, if y is BF16; else they are there already. */
    static void flush(boolean half, long y, long scratch, long n) {
        if (half) {
            VectorBf16.narrow(y, scratch, n);
        }
    }
}
