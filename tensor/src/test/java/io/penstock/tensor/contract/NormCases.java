package io.penstock.tensor.contract;

import static io.penstock.tensor.DType.F32;

import io.penstock.tensor.DType;
import io.penstock.tensor.reference.ReferenceBackend;
import java.util.ArrayList;
import java.util.List;

/** Layer norm, with and without the residual sum, and its gradient. */
final class NormCases {
    private static final float EPS = 1e-5f;
    private static final long[] ROWS = {1, 7, 64, 207};
    private static final long[] COLUMNS = {1, 7, 8, 13, 64, 207, 1024, 1031};
    /** Off zero, so that E[x^2] - mean^2 shows its cancellation. */
    private static final Fill OFF_CENTER = Fill.uniform(1, 3);

    private NormCases() {}

    static List<OperationCase> all() {
        List<OperationCase> cases = new ArrayList<>();
        for (long rows : ROWS) {
            for (long columns : COLUMNS) {
                for (DType dtype : Types.at(columns)) {
                    cases.add(forward(dtype, rows, columns));
                    for (String sumAliases : List.of("", "x", "residual")) {
                        cases.add(addForward(dtype, rows, columns, sumAliases));
                    }
                    for (String dxAliases : List.of("", "dy", "dresidual")) {
                        cases.add(backward(dtype, rows, columns, true, dxAliases));
                    }
                    cases.add(backward(dtype, rows, columns, false, ""));
                    cases.add(backward(dtype, rows, columns, false, "dy"));
                }
            }
        }
        return cases;
    }

    private static OperationCase forward(DType dtype, long rows, long columns) {
        return normOutputs(CaseBuilder.of("layerNorm", dtype + " R=" + rows + " C=" + columns), dtype, rows, columns)
                .tensor("x", dtype, OFF_CENTER, rows, columns)
                .run((backend, t) -> backend.layerNorm(
                        t.tensor("y"),
                        t.tensor("mean"),
                        t.tensor("rstd"),
                        t.tensor("x"),
                        t.tensor("gain"),
                        t.tensor("bias"),
                        EPS));
    }

    private static OperationCase addForward(DType dtype, long rows, long columns, String aliased) {
        CaseBuilder builder = normOutputs(
                        CaseBuilder.of(
                                "addLayerNorm",
                                dtype + " R=" + rows + " C=" + columns
                                        + (aliased.isEmpty() ? "" : " sum in " + aliased)),
                        dtype,
                        rows,
                        columns)
                .tensor("x", dtype, OFF_CENTER, rows, columns)
                .tensor("residual", dtype, Fill.UNIT, rows, columns);
        outputOver(builder, "sum", aliased, dtype, rows, columns);
        // One addition in F32, one rounding: every backend has the same sum.
        return builder.output("sum", Tolerance.EXACT)
                .run((backend, t) -> backend.addLayerNorm(
                        t.tensor("sum"),
                        t.tensor("y"),
                        t.tensor("mean"),
                        t.tensor("rstd"),
                        t.tensor("x"),
                        t.tensor("residual"),
                        t.tensor("gain"),
                        t.tensor("bias"),
                        EPS));
    }

    private static CaseBuilder normOutputs(CaseBuilder builder, DType dtype, long rows, long columns) {
        Tolerance statistics = Tolerance.sum(F32, columns);
        return builder.tensor("gain", F32, Fill.UNIT, columns)
                .tensor("bias", F32, Fill.UNIT, columns)
                .tensor("y", dtype, Fill.POISON, rows, columns)
                .output("y", Tolerance.sum(dtype, 2 * columns))
                .tensor("mean", F32, Fill.POISON, rows)
                .output("mean", statistics)
                .tensor("rstd", F32, Fill.POISON, rows)
                .output("rstd", statistics.plusOfLargest(Tolerance.UNIT_F32 * columns));
    }

    private static OperationCase backward(DType dtype, long rows, long columns, boolean residual, String aliased) {
        // With one column the variance is 0 and rstd = 1 / sqrt(eps): what cancels is that large.
        double largestRstd = columns == 1 ? 1 / Math.sqrt(EPS) : 4;
        double unit = Tolerance.UNIT_F32 * (columns + 16);
        CaseBuilder builder = CaseBuilder.of(
                        "layerNormBackward",
                        dtype + " R=" + rows + " C=" + columns + (residual ? "" : " without residual")
                                + (aliased.isEmpty() ? "" : " dx in " + aliased))
                .tensor("x", dtype, OFF_CENTER, rows, columns)
                .tensor("gain", F32, Fill.UNIT, columns)
                .tensor("bias", F32, Fill.UNIT, columns)
                .tensor("y", dtype, Fill.POISON, rows, columns)
                .tensor("mean", F32, Fill.POISON, rows)
                .tensor("rstd", F32, Fill.POISON, rows)
                .prepare(t -> new ReferenceBackend()
                        .layerNorm(
                                t.tensor("y"),
                                t.tensor("mean"),
                                t.tensor("rstd"),
                                t.tensor("x"),
                                t.tensor("gain"),
                                t.tensor("bias"),
                                EPS))
                .tensor("dy", dtype, Fill.UNIT, rows, columns)
                .tensor("dgain", F32, Fill.UNIT, columns)
                .output("dgain", Tolerance.sum(F32, rows + columns))
                .tensor("dbias", F32, Fill.UNIT, columns)
                .output("dbias", Tolerance.sum(F32, rows));
        if (residual) {
            builder.tensor("dresidual", dtype, Fill.UNIT, rows, columns);
        }
        outputOver(builder, "dx", aliased, dtype, rows, columns);
        return builder.output("dx", Tolerance.rounding(dtype).plusAbsolute(unit * largestRstd))
                .run((backend, t) -> backend.layerNormBackward(
                        t.tensor("dx"),
                        t.tensor("dgain"),
                        t.tensor("dbias"),
                        t.tensor("dy"),
                        residual ? t.tensor("dresidual") : null,
                        t.tensor("x"),
                        t.tensor("gain"),
                        t.tensor("mean"),
                        t.tensor("rstd")));
    }

    private static void outputOver(
            CaseBuilder builder, String name, String aliased, DType dtype, long rows, long columns) {
        if (aliased.isEmpty()) {
            builder.tensor(name, dtype, Fill.POISON, rows, columns);
        } else {
            builder.alias(name, aliased);
        }
    }
}
