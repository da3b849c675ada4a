package io.penstock.tensor.cpu;

/**
 * What one single-threaded matrix product is made for: c_mn = op(a)_mk op(b)_kn (+ bias_n), or c += . {@code half}: a and b are BF16, else F32; {@code
 * halfOutput}: c is. Leading dims count elements. A bias is F32 and only comes without {@code accumulate}.
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
        boolean half,
        boolean halfOutput,
        boolean bias,
        boolean accumulate) {
    static final int HALF_OUTPUT = 8;
    static final int BIAS = 16;
    static final int ACCUMULATE = 32;

    int flags() {
        return flags(transposeA, transposeB, half, halfOutput, bias, accumulate);
    }

    static int flags(
            boolean transposeA,
            boolean transposeB,
            boolean half,
            boolean halfOutput,
            boolean bias,
            boolean accumulate) {
        return (transposeA ? 1 : 0)
                | (transposeB ? 2 : 0)
                | (half ? 4 : 0)
                | (halfOutput ? HALF_OUTPUT : 0)
                | (bias ? BIAS : 0)
                | (accumulate ? ACCUMULATE : 0);
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
                (flags & 4) != 0,
                (flags & HALF_OUTPUT) != 0,
                (flags & BIAS) != 0,
                (flags & ACCUMULATE) != 0);
    }
}
