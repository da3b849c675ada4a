package io.penstock.tensor.contract;

import static io.penstock.tensor.DType.F32;

import io.penstock.tensor.DType;
import io.penstock.tensor.reference.ReferenceBackend;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** What Llama's layers add: RMS norm, with and without the residual sum, rotary embedding and SwiGLU, and their gradients. */
final class LlamaCases {
    private static final float EPS = 1e-5f;
    private static final long[] ROWS = {1, 7, 64};
    private static final long[] SIZES = {1, 7, 8, 13, 64, 207, 1024, 1031};
    /** Batch, sequence, heads, head size. */
    private static final int[][] ROTARY_SIZES = {
        {1, 1, 1, 2}, {2, 7, 3, 8}, {1, 13, 2, 14}, {3, 64, 1, 26}, {1, 207, 2, 64}, {2, 8, 2, 128}, {1, 1024, 1, 64}
    };

    private static final double[] THETAS = {10_000, 500_000};
    private static final Fill GATES = Fill.uniform(-6, 6);
    private static final Fill FAR_OUT = Fill.oneOf(0, -0.0, 1e-6, 20, -20, 50, -50, 1e4, -1e4);

    private LlamaCases() {}

    static List<OperationCase> all() {
        List<OperationCase> cases = new ArrayList<>();
        for (DType dtype : Types.all()) {
            for (long rows : ROWS) {
                for (long columns : sizes(dtype)) {
                    norms(cases, dtype, rows, columns);
                }
            }
            for (int[] sizes : ROTARY_SIZES) {
                for (boolean backward : new boolean[] {false, true}) {
                    if (!Types.at(sizes[1]).contains(dtype)) {
                        continue;
                    }
                    cases.add(rotary(dtype, sizes, THETAS[0], backward, false, false));
                    cases.add(rotary(dtype, sizes, THETAS[1], backward, true, false));
                    cases.add(rotary(dtype, sizes, THETAS[0], backward, true, true));
                }
            }
            for (long size : sizes(dtype)) {
                cases.add(swiglu(dtype, size, GATES, ""));
                for (String aliased : List.of("", "dgate", "dup")) {
                    cases.add(swigluBackward(dtype, size, GATES, "", aliased));
                }
            }
            cases.add(swiglu(dtype, 64, FAR_OUT, " far out"));
            cases.add(swigluBackward(dtype, 64, FAR_OUT, " far out", ""));
        }
        return cases;
    }

    private static long[] sizes(DType dtype) {
        return Arrays.stream(SIZES)
                .filter(size -> Types.at(size).contains(dtype))
                .toArray();
    }

    private static void norms(List<OperationCase> cases, DType dtype, long rows, long columns) {
        cases.add(norm(dtype, rows, columns));
        for (String sumAliases : List.of("", "x", "residual")) {
            cases.add(addNorm(dtype, rows, columns, sumAliases));
        }
        for (String dxAliases : List.of("", "dy", "dresidual")) {
            cases.add(normBackward(dtype, rows, columns, true, dxAliases));
        }
        cases.add(normBackward(dtype, rows, columns, false, "dy"));
    }

    private static OperationCase norm(DType dtype, long rows, long columns) {
        return normOutputs(CaseBuilder.of("rmsNorm", dtype + " R=" + rows + " C=" + columns), dtype, rows, columns)
                .tensor("x", dtype, Fill.UNIT, rows, columns)
                .run((backend, t) ->
                        backend.rmsNorm(t.tensor("y"), t.tensor("rstd"), t.tensor("x"), t.tensor("gain"), EPS));
    }

    private static OperationCase addNorm(DType dtype, long rows, long columns, String aliased) {
        String details = dtype + " R=" + rows + " C=" + columns + (aliased.isEmpty() ? "" : " sum in " + aliased);
        CaseBuilder builder = normOutputs(CaseBuilder.of("addRmsNorm", details), dtype, rows, columns)
                .tensor("x", dtype, Fill.UNIT, rows, columns)
                .tensor("residual", dtype, Fill.UNIT, rows, columns);
        outputOver(builder, "sum", aliased, dtype, rows, columns);
        // One addition in F32, one rounding: every backend has the same sum.
        return builder.output("sum", Tolerance.EXACT)
                .run((backend, t) -> backend.addRmsNorm(
                        t.tensor("sum"),
                        t.tensor("y"),
                        t.tensor("rstd"),
                        t.tensor("x"),
                        t.tensor("residual"),
                        t.tensor("gain"),
                        EPS));
    }

    private static CaseBuilder normOutputs(CaseBuilder builder, DType dtype, long rows, long columns) {
        // squares do not cancel: relative errors
        double unit = Tolerance.UNIT_F32 * (columns + 16);
        return builder.tensor("gain", F32, Fill.UNIT, columns)
                .tensor("y", dtype, Fill.POISON, rows, columns)
                .output("y", Tolerance.rounding(dtype).plusRelative(unit))
                .tensor("rstd", F32, Fill.POISON, rows)
                .output("rstd", Tolerance.rounding(F32).plusRelative(unit));
    }

    private static OperationCase normBackward(DType dtype, long rows, long columns, boolean residual, String aliased) {
        CaseBuilder builder = CaseBuilder.of(
                        "rmsNormBackward",
                        dtype + " R=" + rows + " C=" + columns + (residual ? "" : " without residual")
                                + (aliased.isEmpty() ? "" : " dx in " + aliased))
                .tensor("x", dtype, Fill.uniform(1, 3), rows, columns)
                .tensor("gain", F32, Fill.UNIT, columns)
                .tensor("y", dtype, Fill.POISON, rows, columns)
                .tensor("rstd", F32, Fill.POISON, rows)
                .prepare(t -> new ReferenceBackend()
                        .rmsNorm(t.tensor("y"), t.tensor("rstd"), t.tensor("x"), t.tensor("gain"), EPS))
                .tensor("dy", dtype, Fill.UNIT, rows, columns)
                .tensor("dgain", F32, Fill.UNIT, columns)
                .output("dgain", Tolerance.sum(F32, rows + 4));
        if (residual) {
            builder.tensor("dresidual", dtype, Fill.UNIT, rows, columns);
        }
        outputOver(builder, "dx", aliased, dtype, rows, columns);
        // rstd is at most 1
        return builder.output("dx", Tolerance.rounding(dtype).plusAbsolute(Tolerance.UNIT_F32 * (columns + 16)))
                .run((backend, t) -> backend.rmsNormBackward(
                        t.tensor("dx"),
                        t.tensor("dgain"),
                        t.tensor("dy"),
                        residual ? t.tensor("dresidual") : null,
                        t.tensor("x"),
                        t.tensor("gain"),
                        t.tensor("rstd")));
    }

    private static OperationCase rotary(
            DType dtype, int[] sizes, double theta, boolean backward, boolean strided, boolean inPlace) {
        int sequence = sizes[1];
        int headSize = sizes[3];
        long rows = (long) sizes[0] * sequence;
        long columns = (long) sizes[2] * headSize;
        String details = dtype + " B=" + sizes[0] + " T=" + sequence + " N=" + sizes[2] + " H=" + headSize + " theta="
                + theta + (strided ? " strided" : "") + (inPlace ? " in place" : "");
        CaseBuilder builder = CaseBuilder.of(backward ? "rotaryBackward" : "rotary", details)
                .matrix("x", dtype, Fill.UNIT, strided, rows, columns);
        if (inPlace) {
            builder.alias("y", "x");
        } else {
            builder.matrix("y", dtype, Fill.POISON, strided, rows, columns);
        }
        // an error of some units in a cosine, of two terms of at most 1
        builder.output("y", Tolerance.rounding(dtype).plusAbsolute(16 * Tolerance.UNIT_F32));
        return builder.run((backend, t) -> {
            if (backward) {
                backend.rotaryBackward(t.tensor("y"), t.tensor("x"), headSize, sequence, theta);
            } else {
                backend.rotary(t.tensor("y"), t.tensor("x"), headSize, sequence, theta);
            }
        });
    }

    private static OperationCase swiglu(DType dtype, long size, Fill gates, String note) {
        return CaseBuilder.of("swiglu", dtype + " " + size + note)
                .tensor("gate", dtype, gates, size)
                .tensor("up", dtype, Fill.UNIT, size)
                .tensor("y", dtype, Fill.POISON, size)
                .output("y", activated(dtype))
                .run((backend, t) -> backend.swiglu(t.tensor("y"), t.tensor("gate"), t.tensor("up")));
    }

    private static OperationCase swigluBackward(DType dtype, long size, Fill gates, String note, String aliased) {
        CaseBuilder builder = CaseBuilder.of(
                        "swigluBackward",
                        dtype + " " + size + note + (aliased.isEmpty() ? "" : " " + aliased + " in dy"))
                .tensor("gate", dtype, gates, size)
                .tensor("up", dtype, Fill.UNIT, size)
                .tensor("dy", dtype, Fill.UNIT, size);
        for (String output : List.of("dgate", "dup")) {
            if (aliased.equals(output)) {
                builder.alias(output, "dy");
            } else {
                builder.tensor(output, dtype, Fill.POISON, size);
            }
            builder.output(output, activated(dtype));
        }
        return builder.run((backend, t) -> backend.swigluBackward(
                t.tensor("dgate"), t.tensor("dup"), t.tensor("dy"), t.tensor("gate"), t.tensor("up")));
    }

    /** e^-x is good to some units, x e^-x at 6 to six times as many; s + x s (1 - s) cancels. */
    private static Tolerance activated(DType dtype) {
        return Tolerance.rounding(dtype).plusRelative(32 * Tolerance.UNIT_F32).plusAbsolute(16 * Tolerance.UNIT_F32);
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
