package io.penstock.tensor.cpu;

import io.penstock.tensor.DType;

/**
 * What one single-threaded matrix product is made for: c_mn = op(a)_mk op(b)_kn (+ bias_n), or c += . a and b are of {@code type}; {@code
 * halfOutput}: c is too, else F32; {@code wideA}: a is F32 whatever the type of b. Leading dims count elements. A bias is F32 and only comes without {@code accumulate}.
 */
record MatmulShape(
        int m,
        int n,
        int k,
        long lda,
        long ldb,
        long ldc,
        boolean transposeA,
        boolean transposeB,
        DType type,
        boolean halfOutput,
        boolean bias,
        boolean accumulate,
        boolean wideA) {
    private static final int BF16 = 4;
    private static final int F16 = 64;
    static final int HALF_OUTPUT = 8;
    static final int BIAS = 16;
    static final int ACCUMULATE = 32;
    static final int WIDE_A = 128;

    /** The type of c. */
    DType output() {
        return halfOutput ? type : DType.F32;
    }

    /** The type of a. */
    DType typeA() {
        return wideA ? DType.F32 : type;
    }

    int flags() {
        return flags(transposeA, transposeB, type, halfOutput, bias, accumulate) | (wideA ? WIDE_A : 0);
    }

    static int flags(
            boolean transposeA, boolean transposeB, DType type, boolean halfOutput, boolean bias, boolean accumulate) {
        return (transposeA ? 1 : 0)
                | (transposeB ? 2 : 0)
                | typeFlag(type)
                | (halfOutput ? HALF_OUTPUT : 0)
                | (bias ? BIAS : 0)
                | (accumulate ? ACCUMULATE : 0);
    }

    private static int typeFlag(DType type) {
        return switch (type) {
            case BF16 -> BF16;
            case F16 -> F16;
            case F32, F64, I32 -> 0;
        };
    }

    private static DType type(int flags) {
        return (flags & BF16) != 0 ? DType.BF16 : (flags & F16) != 0 ? DType.F16 : DType.F32;
    }

    static MatmulShape of(int m, int n, int k, long lda, long ldb, long ldc, int flags) {
        return new MatmulShape(
                m,
                n,
                k,
                lda,
                ldb,
                ldc,
                (flags & 1) != 0,
                (flags & 2) != 0,
                type(flags),
                (flags & HALF_OUTPUT) != 0,
                (flags & BIAS) != 0,
                (flags & ACCUMULATE) != 0,
                (flags & WIDE_A) != 0);
    }
}
