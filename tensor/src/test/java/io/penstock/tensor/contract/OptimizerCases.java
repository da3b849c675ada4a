package io.penstock.tensor.contract;

import static io.penstock.tensor.DType.BF16;
import static io.penstock.tensor.DType.F16;
import static io.penstock.tensor.DType.F32;
import static io.penstock.tensor.DType.F64;

import io.penstock.tensor.DType;
import io.penstock.tensor.TestTensors;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Sums, the gradient norm and AdamW. */
final class OptimizerCases {
    private static final long[] SIZES = {1, 7, 8, 13, 64, 207, 1024, 70001};

    private OptimizerCases() {}

    static List<OperationCase> sumOfSquares() {
        List<OperationCase> cases = new ArrayList<>();
        for (long size : SIZES) {
            for (DType dtype : Types.at(size)) {
                cases.add(CaseBuilder.of("sumOfSquares", dtype + " " + size)
                        .tensor("x", dtype, Fill.UNIT, size)
                        .tensor("sum", F64, Fill.POISON, 1)
                        .output("sum", new Tolerance(1e-12, 0, 0))
                        .run((backend, t) -> backend.sumOfSquares(t.tensor("sum"), t.tensor("x"))));
            }
        }
        return cases;
    }

    static List<OperationCase> sum() {
        List<OperationCase> cases = new ArrayList<>();
        for (long size : SIZES) {
            for (DType dtype : Types.at(size)) {
                // The order is part of the contract: the reference's bits, not only its value.
                cases.add(CaseBuilder.of("sum", dtype + " " + size)
                        .tensor("x", dtype, Fill.UNIT, size)
                        .tensor("sum", F64, Fill.POISON, 1)
                        .output("sum", Tolerance.EXACT)
                        .run((backend, t) -> backend.sum(t.tensor("sum"), t.tensor("x"))));
            }
        }
        return cases;
    }

    static List<OperationCase> adamW() {
        List<OperationCase> cases = new ArrayList<>();
        for (long size : SIZES) {
            cases.add(adamW("without working", size, null));
            cases.add(adamW("working F32", size, F32));
            cases.add(adamW("working BF16", size, BF16));
            cases.add(adamW("working F16", size, F16));
        }
        return cases;
    }

    private static OperationCase adamW(String details, long size, @Nullable DType working) {
        float learningRate = 1e-2f;
        CaseBuilder builder = CaseBuilder.of("adamW", details + " " + size)
                .tensor("weight", F32, Fill.UNIT, size)
                .output("weight", Tolerance.rounding(F32).plusAbsolute(64 * Tolerance.UNIT_F32 * learningRate))
                .tensor("m", F32, Fill.UNIT, size)
                .output("m", Tolerance.rounding(F32).plusAbsolute(8 * Tolerance.UNIT_F32))
                .tensor("v", F32, Fill.uniform(0.01, 1), size)
                .output("v", Tolerance.rounding(F32).plusRelative(8 * Tolerance.UNIT_F32))
                .tensor("gradient", F32, Fill.uniform(-4, 4), size)
                .output("gradient", Tolerance.EXACT);
        if (working != null) {
            builder.tensor("working", working, Fill.POISON, size)
                    .output("working", Tolerance.rounding(working).plusAbsolute(64 * Tolerance.UNIT_F32 * learningRate))
                    .holds(t -> TestTensors.assertClose(
                            "working as the rounding of weight",
                            t.tensor("working"),
                            TestTensors.copy(t.tensor("weight"), working),
                            0,
                            0));
        }
        return builder.run((backend, t) -> backend.adamW(
                t.tensor("weight"),
                t.tensor("m"),
                t.tensor("v"),
                t.tensor("gradient"),
                working == null ? null : t.tensor("working"),
                learningRate,
                0.9f,
                0.95f,
                1e-8f,
                0.1f,
                0.271f,
                0.142625f,
                0.25f));
    }
}
