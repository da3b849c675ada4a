package io.penstock.tensor.contract;

import static io.penstock.tensor.DType.F32;
import static io.penstock.tensor.DType.I32;

import io.penstock.tensor.DType;
import io.penstock.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/** Zeroing, copies, casts, sums of two tensors, and the embedding. */
final class MovingCases {
    private static final long[] SIZES = {1, 7, 8, 13, 64, 207, 1024, 1031};

    /** Halves that tie to even below and above, just past a tie, of BF16 and F16, F16's steps near 0, overflow, and what is no number. */
    private static final Fill HARD_TO_ROUND = Fill.oneOf(
            1 + 0x1p-8,
            1 + 3 * 0x1p-8,
            -1 - 0x1p-8,
            1 + 0x1p-8 + 0x1p-20,
            1 + 0x1p-8 - 0x1p-20,
            Float.MAX_VALUE,
            -Float.MAX_VALUE,
            Double.POSITIVE_INFINITY,
            Double.NEGATIVE_INFINITY,
            Double.NaN,
            0,
            -0.0,
            65504,
            65519.99,
            65520,
            -65520,
            1 + 0x1p-11,
            1 + 3 * 0x1p-11,
            -1 - 0x1p-11 - 0x1p-20,
            0x1p-14,
            0x1p-14 - 0x1p-26,
            0x1p-24,
            -3 * 0x1p-25,
            0x1p-25,
            0x1p-25 + 0x1p-40,
            -0x1p-26);

    private MovingCases() {}

    static List<OperationCase> zero() {
        List<OperationCase> cases = new ArrayList<>();
        for (long size : SIZES) {
            for (DType dtype : Types.at(size)) {
                cases.add(CaseBuilder.of("zero", dtype + " " + size)
                        .tensor("x", dtype, Fill.UNIT, size)
                        .output("x", Tolerance.EXACT)
                        .run((backend, t) -> backend.zero(t.tensor("x"))));
            }
        }
        return cases;
    }

    static List<OperationCase> copy() {
        List<OperationCase> cases = new ArrayList<>();
        for (DType from : Types.all()) {
            for (DType to : Types.all()) {
                for (long columns : SIZES) {
                    if (!Types.pairAt(columns, from, to)) {
                        continue;
                    }
                    cases.add(copy(from, to, Fill.UNIT, 7, columns, false, false));
                    cases.add(copy(from, to, Fill.UNIT, 7, columns, true, false));
                    cases.add(copy(from, to, Fill.UNIT, 7, columns, false, true));
                    cases.add(copy(from, to, Fill.UNIT, 64, columns, true, true));
                }
                cases.add(copy(from, to, HARD_TO_ROUND, 3, 207, false, false));
            }
        }
        return cases;
    }

    private static OperationCase copy(
            DType from, DType to, Fill fill, long rows, long columns, boolean stridedFrom, boolean stridedTo) {
        return CaseBuilder.of(
                        "copy",
                        from + "->" + to + " " + rows + "x" + columns + (stridedFrom ? " strided x" : "")
                                + (stridedTo ? " strided y" : "") + (fill == HARD_TO_ROUND ? " hard to round" : ""))
                .matrix("x", from, fill, stridedFrom, rows, columns)
                .matrix("y", to, Fill.POISON, stridedTo, rows, columns)
                .output("y", Tolerance.EXACT)
                .run((backend, t) -> backend.copy(t.tensor("y"), t.tensor("x")));
    }

    static List<OperationCase> add() {
        List<OperationCase> cases = new ArrayList<>();
        for (long size : SIZES) {
            for (DType from : Types.at(size)) {
                for (DType to : Types.at(size)) {
                    cases.add(CaseBuilder.of("add", to + " += " + from + " " + size)
                            .tensor("x", from, Fill.UNIT, size)
                            .tensor("y", to, Fill.UNIT, size)
                            .output("y", Tolerance.rounding(to))
                            .run((backend, t) -> backend.add(t.tensor("y"), t.tensor("x"))));
                }
            }
        }
        return cases;
    }

    /** Of as many ranks as share a layer; into memory of its own, and over the first or the last of them. */
    static List<OperationCase> addAll() {
        List<OperationCase> cases = new ArrayList<>();
        for (long size : SIZES) {
            for (DType dtype : Types.at(size)) {
                for (int terms : new int[] {1, 2, 3, 8}) {
                    cases.add(addAll(dtype, size, terms, -1));
                    cases.add(addAll(dtype, size, terms, size % 2 == 0 ? 0 : terms - 1));
                }
            }
        }
        for (DType dtype : Types.all()) {
            cases.add(addAll(dtype, 13, 64, 63));
        }
        return cases;
    }

    private static OperationCase addAll(DType dtype, long size, int terms, int target) {
        CaseBuilder builder = CaseBuilder.of(
                "addAll", dtype + " " + size + ", " + terms + " terms" + (target < 0 ? "" : " into " + target));
        for (int i = 0; i < terms; i++) {
            builder.tensor("x" + i, dtype, Fill.UNIT, size);
        }
        String y = target < 0 ? "y" : "x" + target;
        if (target < 0) {
            builder.tensor(y, dtype, Fill.POISON, size);
        }
        return builder.output(y, Tolerance.sum(dtype, terms)).run((backend, t) -> {
            Tensor[] all = new Tensor[terms];
            for (int i = 0; i < terms; i++) {
                all[i] = t.tensor("x" + i);
            }
            backend.addAll(t.tensor(y), all);
        });
    }

    static List<OperationCase> embedding() {
        List<OperationCase> cases = new ArrayList<>();
        for (long[] vbtc : new long[][] {
            {1, 1, 1, 1}, {13, 3, 7, 8}, {7, 2, 64, 13}, {207, 1, 207, 64}, {50, 2, 8, 1024}, {5, 1, 2, 1031}
        }) {
            for (DType dtype : Types.at(vbtc[3])) {
                for (boolean positions : new boolean[] {false, true}) {
                    cases.add(embedding(vbtc, dtype, positions));
                    cases.add(embeddingBackward(vbtc, dtype, positions));
                }
            }
        }
        return cases;
    }

    private static OperationCase embedding(long[] vbtc, DType dtype, boolean positions) {
        int sequence = (int) vbtc[2];
        CaseBuilder builder = CaseBuilder.of("embedding", describe(vbtc, dtype, positions))
                .tensor("tokens", I32, Fill.integers(0, (int) vbtc[0]), vbtc[1] * sequence)
                .tensor("wte", dtype, Fill.UNIT, vbtc[0], vbtc[3])
                .tensor("y", dtype, Fill.POISON, vbtc[1] * sequence, vbtc[3])
                .output("y", positions ? Tolerance.rounding(dtype) : Tolerance.EXACT);
        if (positions) {
            builder.tensor("wpe", dtype, Fill.UNIT, sequence + 3, vbtc[3]);
        }
        return builder.run((backend, t) -> backend.embedding(
                t.tensor("y"), t.tensor("tokens"), t.tensor("wte"), positions ? t.tensor("wpe") : null, sequence));
    }

    private static OperationCase embeddingBackward(long[] vbtc, DType dtype, boolean positions) {
        int sequence = (int) vbtc[2];
        long rows = vbtc[1] * sequence;
        CaseBuilder builder = CaseBuilder.of("embeddingBackward", describe(vbtc, dtype, positions))
                .tensor("tokens", I32, Fill.integers(0, (int) vbtc[0]), rows)
                .tensor("dy", dtype, Fill.UNIT, rows, vbtc[3])
                .tensor("dwte", F32, Fill.UNIT, vbtc[0], vbtc[3])
                .output("dwte", Tolerance.sum(F32, rows));
        if (positions) {
            builder.tensor("dwpe", F32, Fill.UNIT, sequence + 3, vbtc[3]).output("dwpe", Tolerance.sum(F32, vbtc[1]));
        }
        return builder.run((backend, t) -> backend.embeddingBackward(
                t.tensor("dwte"), positions ? t.tensor("dwpe") : null, t.tensor("dy"), t.tensor("tokens"), sequence));
    }

    private static String describe(long[] vbtc, DType dtype, boolean positions) {
        return dtype + " V=" + vbtc[0] + " B=" + vbtc[1] + " T=" + vbtc[2] + " C=" + vbtc[3]
                + (positions ? "" : " without positions");
    }
}
