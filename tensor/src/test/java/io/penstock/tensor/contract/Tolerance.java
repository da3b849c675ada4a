package io.penstock.tensor.contract;

import io.penstock.tensor.DType;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.TestTensors;

/** |actual - expected| <= absolute + relative |expected| + ofLargest max |expected|. Units are unit roundoffs: 2^-24 of F32, 2^-8 of BF16, 2^-11 of F16. */
record Tolerance(double relative, double absolute, double ofLargest) {
    static final double UNIT_F32 = 0x1p-24;
    static final double UNIT_BF16 = 0x1p-8;
    static final double UNIT_F16 = 0x1p-11;
    /** Below 2^-14 F16 has steps of one size. */
    private static final double STEP_OF_SMALL_F16 = 0x1p-24;

    static final Tolerance EXACT = new Tolerance(0, 0, 0);

    /** One unit in the last place of the output: both sides rounded it once, perhaps to different neighbours. */
    static Tolerance rounding(DType output) {
        return new Tolerance(2 * unit(output), output == DType.F16 ? STEP_OF_SMALL_F16 : 0, 0);
    }

    /** A sum of {@code terms} numbers in F32: an error of one unit a term, relative to the largest sum, which stands for the size of partial sums. */
    static Tolerance sum(DType output, long terms) {
        return rounding(output).plusOfLargest(UNIT_F32 * (terms + 16));
    }

    Tolerance plusRelative(double more) {
        return new Tolerance(relative + more, absolute, ofLargest);
    }

    Tolerance plusAbsolute(double more) {
        return new Tolerance(relative, absolute + more, ofLargest);
    }

    Tolerance plusOfLargest(double more) {
        return new Tolerance(relative, absolute, ofLargest + more);
    }

    void check(String name, Tensor actual, Tensor expected) {
        double largest = ofLargest == 0 ? 0 : ofLargest * TestTensors.maxAbs(expected);
        TestTensors.assertClose(name, actual, expected, relative, absolute + largest);
    }

    static double unit(DType dtype) {
        return switch (dtype) {
            case F32 -> UNIT_F32;
            case BF16 -> UNIT_BF16;
            case F16 -> UNIT_F16;
            case F64 -> 0x1p-53;
            case I32 -> 0;
        };
    }
}
