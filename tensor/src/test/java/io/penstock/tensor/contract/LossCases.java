package io.penstock.tensor.contract;

import static io.penstock.tensor.DType.F32;
import static io.penstock.tensor.DType.I32;

import io.penstock.tensor.DType;
import java.util.ArrayList;
import java.util.List;

/** GELU and cross-entropy. */
final class LossCases {
    private static final long[] SIZES = {1, 7, 8, 13, 64, 207, 1024, 1031};
    private static final Fill FAR_OUT = Fill.oneOf(0, -0.0, 1e-6, 20, -20, 50, -50, 1e4, -1e4);
    private static final long[][] ROWS_AND_VOCABULARIES = {
        {1, 1}, {7, 7}, {8, 13}, {13, 207}, {64, 64}, {3, 1024}, {2, 50257}
    };

    private enum Gradient {
        NONE,
        APART,
        /** Row r of the gradient begins where row r of the logits does. */
        IN_PLACE
    }

    private LossCases() {}

    static List<OperationCase> gelu() {
        List<OperationCase> cases = new ArrayList<>();
        for (long size : SIZES) {
            for (DType dtype : Types.at(size)) {
                cases.add(gelu(dtype, size, Fill.uniform(-6, 6), "", 6));
                cases.add(geluBackward(dtype, size, Fill.uniform(-6, 6), "", false));
                cases.add(geluBackward(dtype, size, Fill.uniform(-6, 6), "", true));
            }
        }
        for (DType dtype : Types.all()) {
            cases.add(gelu(dtype, 64, FAR_OUT, " far out", 6));
            cases.add(geluBackward(dtype, 64, FAR_OUT, " far out", false));
        }
        return cases;
    }

    private static OperationCase gelu(DType dtype, long size, Fill fill, String note, double largest) {
        // 1 + tanh cancels for negative x: an error of some units of x.
        return CaseBuilder.of("gelu", dtype + " " + size + note)
                .tensor("x", dtype, fill, size)
                .tensor("y", dtype, Fill.POISON, size)
                .output(
                        "y",
                        Tolerance.rounding(dtype)
                                .plusRelative(8 * Tolerance.UNIT_F32)
                                .plusAbsolute(8 * Tolerance.UNIT_F32 * largest))
                .run((backend, t) -> backend.gelu(t.tensor("y"), t.tensor("x")));
    }

    private static OperationCase geluBackward(DType dtype, long size, Fill fill, String note, boolean inPlace) {
        CaseBuilder builder = CaseBuilder.of("geluBackward", dtype + " " + size + note + (inPlace ? " dx in dy" : ""))
                .tensor("x", dtype, fill, size)
                .tensor("dy", dtype, Fill.UNIT, size);
        if (inPlace) {
            builder.alias("dx", "dy");
        } else {
            builder.tensor("dx", dtype, Fill.POISON, size);
        }
        // x (1 - tanh^2) u' cancels likewise, with u' up to 8 where it matters
        return builder.output(
                        "dx",
                        Tolerance.rounding(dtype)
                                .plusRelative(8 * Tolerance.UNIT_F32)
                                .plusAbsolute(64 * Tolerance.UNIT_F32))
                .run((backend, t) -> backend.geluBackward(t.tensor("dx"), t.tensor("dy"), t.tensor("x")));
    }

    static List<OperationCase> crossEntropy() {
        List<OperationCase> cases = new ArrayList<>();
        for (long[] rv : ROWS_AND_VOCABULARIES) {
            for (boolean strided : new boolean[] {false, true}) {
                cases.add(crossEntropy(rv, Gradient.NONE, F32, 0, strided));
                for (DType dtype : Types.at(rv[1])) {
                    cases.add(crossEntropy(rv, Gradient.APART, dtype, 0, strided));
                    cases.add(crossEntropy(rv, Gradient.IN_PLACE, dtype, 0, strided));
                }
            }
            cases.add(crossEntropy(rv, Gradient.APART, F32, 1000, false));
            cases.add(crossEntropy(rv, Gradient.APART, F32, -1000, false));
        }
        return cases;
    }

    private static OperationCase crossEntropy(
            long[] rv, Gradient gradient, DType dtype, double offset, boolean strided) {
        long rows = rv[0];
        long vocabulary = rv[1];
        float scale = 1f / rows;
        double largest = 8 + Math.abs(offset);
        double softmax = Tolerance.UNIT_F32 * (2 * Math.sqrt((double) vocabulary) + 64 + 4 * largest);
        CaseBuilder builder = CaseBuilder.of(
                        "crossEntropy",
                        "dlogits " + gradient + " " + dtype + " R=" + rows + " V=" + vocabulary
                                + (offset == 0 ? "" : " offset " + offset) + (strided ? " strided" : ""))
                .matrix("logits", F32, Fill.uniform(offset - 8, offset + 8), strided, rows, vocabulary)
                .tensor("targets", I32, targets(vocabulary), rows)
                .tensor("loss", F32, Fill.POISON, rows)
                .output("loss", Tolerance.rounding(F32).plusAbsolute(softmax));
        switch (gradient) {
            case NONE -> {}
            case APART -> builder.matrix("dlogits", dtype, Fill.POISON, strided, rows, vocabulary);
            case IN_PLACE -> {
                long strideOfLogits = strided ? vocabulary + 5 : vocabulary;
                long stride = strideOfLogits * F32.bytes() / dtype.bytes();
                builder.view("dlogits", "logits", 0, dtype, stride, rows, vocabulary)
                        .scratch("logits");
            }
        }
        if (gradient != Gradient.NONE) {
            // softmax - 1 at the target cancels: units of 1
            builder.output(
                    "dlogits",
                    Tolerance.rounding(dtype).plusRelative(softmax).plusAbsolute(4 * Tolerance.UNIT_F32 * scale));
        }
        return builder.run((backend, t) -> backend.crossEntropy(
                t.tensor("loss"),
                gradient == Gradient.NONE ? null : t.tensor("dlogits"),
                t.tensor("logits"),
                t.tensor("targets"),
                scale));
    }

    /** Every target of the vocabulary, its ends more often, and about one in five not counted. */
    private static Fill targets(long vocabulary) {
        return random -> switch (random.nextInt(5)) {
            case 0 -> -random.nextInt(1, 101);
            case 1 -> 0;
            case 2 -> vocabulary - 1;
            default -> random.nextLong(vocabulary);
        };
    }
}
