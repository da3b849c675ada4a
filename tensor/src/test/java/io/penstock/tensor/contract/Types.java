package io.penstock.tensor.contract;

import static io.penstock.tensor.DType.BF16;
import static io.penstock.tensor.DType.F16;
import static io.penstock.tensor.DType.F32;

import io.penstock.tensor.DType;
import java.util.List;

/** The compute types that cases run in. F16 differs from BF16 in its conversions alone, so a few sizes are enough for it: below a vector, and some vectors with a rest. */
final class Types {
    private static final List<DType> SOME = List.of(F32, BF16);
    private static final List<DType> ALL = List.of(F32, BF16, F16);

    private Types() {}

    static List<DType> at(long size) {
        return size == 13 || size == 207 ? ALL : SOME;
    }

    /** {@link #at} of what is read and written. */
    static boolean pairAt(long size, DType from, DType to) {
        return at(size).contains(from) && at(size).contains(to);
    }

    static List<DType> all() {
        return ALL;
    }
}
