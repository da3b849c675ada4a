package io.penstock.tensor.contract;

import static io.penstock.tensor.DType.F32;

import io.penstock.tensor.DType;
import io.penstock.tensor.Write;
import java.util.ArrayList;
import java.util.List;

/** Matrix products and row sums. */
final class MatrixCases {
    private static final long[][] SIZES_MNK = {
        {1, 1, 1},
        {1, 7, 8},
        {7, 13, 1},
        {8, 8, 8},
        {13, 64, 7},
        {64, 1, 13},
        {64, 207, 13},
        {207, 64, 64},
        {1, 1024, 64},
        {1024, 7, 13},
        {64, 64, 1024},
        {207, 207, 207}
    };
    private static final long STRIDED_BELOW = 1 << 20;

    private enum Mode {
        PLAIN,
        BIAS,
        /** Operands of 16 bits, F32 result. */
        WIDE,
        WIDE_BIAS,
        ACCUMULATE
    }

    private MatrixCases() {}

    static List<OperationCase> matmul() {
        List<OperationCase> cases = new ArrayList<>();
        for (long[] mnk : SIZES_MNK) {
            for (DType dtype : mnk[1] == 13 || mnk[2] == 1024 ? Types.all() : Types.at(mnk[2])) {
                for (Mode mode : Mode.values()) {
                    for (int transposes = 0; transposes < 4; transposes++) {
                        boolean transposeA = (transposes & 1) != 0;
                        boolean transposeB = (transposes & 2) != 0;
                        cases.add(matmul(mnk, dtype, mode, transposeA, transposeB, false));
                        if (mnk[0] * mnk[1] * mnk[2] < STRIDED_BELOW) {
                            cases.add(matmul(mnk, dtype, mode, transposeA, transposeB, true));
                        }
                    }
                }
            }
        }
        cases.add(matmulOfMoreDims());
        return cases;
    }

    private static OperationCase matmul(
            long[] mnk, DType dtype, Mode mode, boolean transposeA, boolean transposeB, boolean strided) {
        long m = mnk[0];
        long n = mnk[1];
        long k = mnk[2];
        boolean hasBias = mode == Mode.BIAS || mode == Mode.WIDE_BIAS;
        boolean accumulates = mode == Mode.ACCUMULATE;
        DType result = mode == Mode.PLAIN || mode == Mode.BIAS ? dtype : F32;
        Write write = accumulates ? Write.ACCUMULATE : Write.OVERWRITE;
        CaseBuilder builder = CaseBuilder.of(
                        "matmul",
                        dtype + "->" + result + " " + mode + " M=" + m + " N=" + n + " K=" + k + " transposeA="
                                + transposeA + " transposeB=" + transposeB + (strided ? " strided" : ""))
                .matrix("a", dtype, Fill.UNIT, strided, transposeA ? k : m, transposeA ? m : k)
                .matrix("b", dtype, Fill.UNIT, strided, transposeB ? n : k, transposeB ? k : n)
                .matrix("c", result, accumulates ? Fill.UNIT : Fill.POISON, strided, m, n)
                .output("c", Tolerance.sum(result, k));
        if (hasBias) {
            builder.tensor("bias", F32, Fill.UNIT, n);
        }
        return builder.run((backend, t) -> backend.matmul(
                t.tensor("c"),
                t.tensor("a"),
                transposeA,
                t.tensor("b"),
                transposeB,
                hasBias ? t.tensor("bias") : null,
                write));
    }

    private static OperationCase matmulOfMoreDims() {
        return CaseBuilder.of("matmul", "F32 (2,7,13) x (8,13)' -> (2,7,8)")
                .tensor("a", F32, Fill.UNIT, 2, 7, 13)
                .tensor("b", F32, Fill.UNIT, 8, 13)
                .tensor("c", F32, Fill.POISON, 2, 7, 8)
                .output("c", Tolerance.sum(F32, 13))
                .run((backend, t) -> backend.matmul(
                        t.tensor("c"), t.tensor("a"), false, t.tensor("b"), true, null, Write.OVERWRITE));
    }

    static List<OperationCase> sumRows() {
        List<OperationCase> cases = new ArrayList<>();
        for (long rows : new long[] {1, 7, 64, 1024}) {
            for (long columns : new long[] {1, 7, 8, 13, 207, 1024}) {
                for (DType dtype : Types.at(columns)) {
                    for (boolean strided : new boolean[] {false, true}) {
                        cases.add(CaseBuilder.of(
                                        "sumRows", dtype + " R=" + rows + " N=" + columns + (strided ? " strided" : ""))
                                .matrix("dy", dtype, Fill.UNIT, strided, rows, columns)
                                .tensor("db", F32, Fill.UNIT, columns)
                                .output("db", Tolerance.sum(F32, rows))
                                .run((backend, t) -> backend.sumRows(t.tensor("db"), t.tensor("dy"))));
                    }
                }
            }
        }
        return cases;
    }
}
