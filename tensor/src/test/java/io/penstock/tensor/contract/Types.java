package io.penstock.tensor.contract;

import static io.penstock.tensor.DType.BF16;
import static io.penstock.tensor.DType.F16;
import static io.penstock.tensor.DType.F32;

import io.penstock.tensor.DType;
import java.util.List;

/**
 * The compute types that cases run in. F16 has loops of its own on the CPU, in pieces; of it a few sizes are enough: below a vector, some vectors with a rest, and more than
 * one piece with a rest, where F32 is its partner.
 */
final class Types {
    private static final List<DType> SOME = List.of(F32, BF16);
    private static final List<DType> ALL = List.of(F32, BF16, F16);

    private static final long PIECES = 1031;
    private static final List<DType> IN_PIECES = List.of(F32, F16);

    private Types() {}

    static List<DType> at(long size) {
        if (size == PIECES) {
            return IN_PIECES;
        }
        return size == 13 || size == 207 ? ALL : SOME;
    }

    /** {@link #at} of what is read and written. */
    static boolean pairAt(long size, DType from, DType to) {
        return at(size).contains(from) && at(size).contains(to);
    }

    /** Where F16's own way was met at other sizes. */
    static List<DType> withoutF16() {
        return SOME;
    }

    static List<DType> all() {
        return ALL;
    }
}
