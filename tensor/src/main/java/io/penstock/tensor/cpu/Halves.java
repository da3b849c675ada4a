package io.penstock.tensor.cpu;

import io.penstock.tensor.DType;
import java.lang.foreign.MemorySegment;

/**
 * 16-bit types in memory to and from F32 in memory, through a piece of a thread's area that stays in the first cache: for what is not worth a loop of each type. The type
 * decides here and not in a vector loop, where a branch made C2 keep vectors as objects. F16 always goes this way, BF16 where no loop of its own is worth it.
 */
final class Halves {
    private Halves() {}

    /** y (F32) = x, which is BF16 or F16. */
    static void widen(DType type, long y, long x, long n) {
        if (type == DType.BF16) {
            VectorBf16.widen(y, x, n);
        } else {
            VectorF16.widen(y, x, n);
        }
    }

    /** y (BF16 or F16) = x (F32), rounded to nearest even. They may start at the same address. */
    static void narrow(DType type, long y, long x, long n) {
        if (type == DType.BF16) {
            VectorBf16.narrow(y, x, n);
        } else {
            VectorF16.narrow(y, x, n);
        }
    }

    /** y (F32) = x of {@code type}. */
    static void toF32(DType type, long y, long x, long n) {
        if (type == DType.F32) {
            MemorySegment.copy(Lanes.ALL, x, Lanes.ALL, y, 4 * n);
        } else {
            widen(type, y, x, n);
        }
    }

    /** y of {@code type} = x (F32), rounded to nearest even. */
    static void fromF32(DType type, long y, long x, long n) {
        if (type == DType.F32) {
            MemorySegment.copy(Lanes.ALL, x, Lanes.ALL, y, 4 * n);
        } else {
            narrow(type, y, x, n);
        }
    }

    /** The F32 values of n elements at x: where they lie if they are F32, else widened to {@code scratch}. */
    static long read(DType type, long x, long scratch, long n) {
        if (type == DType.F32) {
            return x;
        }
        widen(type, scratch, x, n);
        return scratch;
    }

    /** Where a kernel is to leave F32 results that {@link #flush} takes to y. */
    static long target(DType type, long y, long scratch) {
        return type == DType.F32 ? y : scratch;
    }

    /** Rounds n results at {@code scratch} to y, unless y is F32: then they are there already. */
    static void flush(DType type, long y, long scratch, long n) {
        if (type != DType.F32) {
            narrow(type, y, scratch, n);
        }
    }

    /** y = a + b, all of {@code type}, summed in F32; {@code scratch} holds a piece. */
    static void sum(DType type, long y, long a, long b, long n, long scratch) {
        if (type == DType.BF16) {
            VectorBf16.add(y, a, b, n);
        } else if (type == DType.F16) {
            for (long from = 0; from < n; from += Workspace.PIECE) {
                long count = Math.min(Workspace.PIECE, n - from);
                VectorF16.widen(scratch, a + 2 * from, count);
                VectorF16.addTo(scratch, b + 2 * from, count);
                VectorF16.narrow(y + 2 * from, scratch, count);
            }
        } else {
            Vectors.add(y, a, b, n);
        }
    }

    /** y (F32) += x of {@code type}. */
    static void addTo(DType type, long y, long x, long n) {
        if (type == DType.BF16) {
            VectorBf16.addTo(y, x, n);
        } else if (type == DType.F16) {
            VectorF16.addTo(y, x, n);
        } else {
            Vectors.add(y, y, x, n);
        }
    }

    /** y (F32) += x of {@code type} and z (F32) += x. */
    static void addToBoth(DType type, long y, long z, long x, long n) {
        if (type == DType.BF16) {
            VectorBf16.addToBoth(y, z, x, n);
        } else if (type == DType.F32) {
            Vectors.addToBoth(y, z, x, n);
        } else {
            VectorF16.addTo(y, x, n);
            VectorF16.addTo(z, x, n);
        }
    }

    /** y += x, summed in F32, piece by piece; {@code scratch} holds two pieces. */
    static void add(DType yType, long y, DType xType, long x, long n, long scratch) {
        for (long from = 0; from < n; from += Workspace.PIECE) {
            long count = Math.min(Workspace.PIECE, n - from);
            long to = y + from * yType.bytes();
            long sum = read(yType, to, scratch, count);
            long addend = read(xType, x + from * xType.bytes(), scratch + Workspace.PIECE_BYTES, count);
            Vectors.add(sum, sum, addend, count);
            flush(yType, to, sum, count);
        }
    }
}
