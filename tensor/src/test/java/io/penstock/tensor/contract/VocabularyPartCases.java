package io.penstock.tensor.contract;

import static io.penstock.tensor.DType.F32;
import static io.penstock.tensor.DType.I32;

import io.penstock.tensor.Backend;
import io.penstock.tensor.DType;
import io.penstock.tensor.Shape;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.TensorSource;
import io.penstock.tensor.reference.ReferenceBackend;
import java.util.ArrayList;
import java.util.List;

/** Embedding and cross-entropy by one part of a vocabulary, with tokens in it, in other parts and (targets) not counted. */
final class VocabularyPartCases {
    private static final Backend REFERENCE = new ReferenceBackend();

    private enum Gradient {
        NONE,
        APART,
        /** Row r of the gradient begins where row r of the logits does. */
        IN_PLACE
    }

    private VocabularyPartCases() {}

    /** {V of the part, its first token, R, C}. */
    private static final long[][] TABLES = {
        {1, 0, 1, 1}, {13, 5, 21, 8}, {7, 207, 64, 13}, {64, 1, 207, 64}, {9, 3, 8, 1024}
    };

    static List<OperationCase> embedding() {
        List<OperationCase> cases = new ArrayList<>();
        for (long[] vfrc : TABLES) {
            for (DType dtype : Types.at(vfrc[3])) {
                cases.add(embedding(vfrc, dtype));
                cases.add(embeddingBackward(vfrc, dtype));
            }
        }
        return cases;
    }

    private static OperationCase embedding(long[] vfrc, DType dtype) {
        int first = (int) vfrc[1];
        return CaseBuilder.of("embeddingPart", describe(vfrc, dtype))
                .tensor("tokens", I32, around(first, vfrc[0]), vfrc[2])
                .tensor("wte", dtype, Fill.UNIT, vfrc[0], vfrc[3])
                .tensor("y", dtype, Fill.POISON, vfrc[2], vfrc[3])
                .output("y", Tolerance.EXACT)
                .run((backend, t) -> backend.embeddingPart(t.tensor("y"), t.tensor("tokens"), t.tensor("wte"), first));
    }

    private static OperationCase embeddingBackward(long[] vfrc, DType dtype) {
        int first = (int) vfrc[1];
        return CaseBuilder.of("embeddingPartBackward", describe(vfrc, dtype))
                .tensor("tokens", I32, around(first, vfrc[0]), vfrc[2])
                .tensor("dy", dtype, Fill.UNIT, vfrc[2], vfrc[3])
                .tensor("dwte", F32, Fill.UNIT, vfrc[0], vfrc[3])
                .output("dwte", Tolerance.sum(F32, vfrc[2]))
                .run((backend, t) ->
                        backend.embeddingPartBackward(t.tensor("dwte"), t.tensor("dy"), t.tensor("tokens"), first));
    }

    private static String describe(long[] vfrc, DType dtype) {
        return dtype + " V=" + vfrc[0] + " first=" + vfrc[1] + " R=" + vfrc[2] + " C=" + vfrc[3];
    }

    /** {R, V of the part, its first token, parts}. */
    private static final long[][] LOGITS = {
        {1, 1, 0, 2},
        {7, 7, 3, 2},
        {8, 13, 0, 3},
        {13, 207, 207, 4},
        {64, 64, 64, 1},
        {3, 1024, 5, 4},
        {2, 25129, 25128, 2}
    };

    static List<OperationCase> crossEntropy() {
        List<OperationCase> cases = new ArrayList<>();
        for (long[] rvfp : LOGITS) {
            for (boolean strided : new boolean[] {false, true}) {
                cases.add(softmax(rvfp, 0, strided));
                cases.add(crossEntropy(rvfp, Gradient.NONE, F32, 0, strided));
                for (DType dtype : Types.at(rvfp[1])) {
                    cases.add(crossEntropy(rvfp, Gradient.APART, dtype, 0, strided));
                    cases.add(crossEntropy(rvfp, Gradient.IN_PLACE, dtype, 0, strided));
                }
            }
            cases.add(softmax(rvfp, 1000, false));
            cases.add(crossEntropy(rvfp, Gradient.APART, F32, -1000, false));
        }
        return cases;
    }

    private static OperationCase softmax(long[] rvfp, double offset, boolean strided) {
        int first = (int) rvfp[2];
        return CaseBuilder.of("softmaxPart", describe(rvfp, offset, strided))
                .matrix("logits", F32, Fill.uniform(offset - 8, offset + 8), strided, rvfp[0], rvfp[1])
                .tensor("targets", I32, targets(first, rvfp[1]), rvfp[0])
                .tensor("statistics", F32, Fill.POISON, rvfp[0], 3)
                .output("statistics", Tolerance.rounding(F32).plusRelative(softmaxError(rvfp[1], offset)))
                .run((backend, t) ->
                        backend.softmaxPart(t.tensor("statistics"), t.tensor("logits"), t.tensor("targets"), first));
    }

    private static double softmaxError(long vocabulary, double offset) {
        return Tolerance.UNIT_F32 * (2 * Math.sqrt((double) vocabulary) + 64 + 4 * (8 + Math.abs(offset)));
    }

    private static OperationCase crossEntropy(
            long[] rvfp, Gradient gradient, DType dtype, double offset, boolean strided) {
        long rows = rvfp[0];
        long vocabulary = rvfp[1];
        int first = (int) rvfp[2];
        float scale = 1f / rows;
        double error = softmaxError(vocabulary, offset);
        CaseBuilder builder = CaseBuilder.of(
                        "crossEntropyPart", "dlogits " + gradient + " " + dtype + " " + describe(rvfp, offset, strided))
                .matrix("logits", F32, Fill.uniform(offset - 8, offset + 8), strided, rows, vocabulary)
                .tensor("targets", I32, targets(first, vocabulary), rows)
                .tensor("statistics", F32, Fill.uniform(offset - 8, offset + 8), rvfp[3], rows, 3)
                .tensor("loss", F32, Fill.POISON, rows)
                .prepare(t -> statistics(t, rvfp))
                .output("loss", Tolerance.rounding(F32).plusAbsolute(error));
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
                    Tolerance.rounding(dtype).plusRelative(error).plusAbsolute(4 * Tolerance.UNIT_F32 * scale));
        }
        return builder.run((backend, t) -> backend.crossEntropyPart(
                t.tensor("loss"),
                gradient == Gradient.NONE ? null : t.tensor("dlogits"),
                t.tensor("logits"),
                t.tensor("targets"),
                together(t.tensor("statistics")),
                first,
                scale));
    }

    /** (P*R, 3), as layers pass it: the number of parts is not in its dims. */
    private static Tensor together(Tensor statistics_PR3) {
        return statistics_PR3.reshape(
                Shape.of(statistics_PR3.shape().rows(), statistics_PR3.shape().last()));
    }

    /** Part 0 is the one of the case; of the others the maxima are random and the sums at least 1, their targets lie elsewhere. */
    private static void statistics(TensorSource t, long[] rvfp) {
        Tensor all = t.tensor("statistics");
        REFERENCE.softmaxPart(all.slice(0, 1), t.tensor("logits"), t.tensor("targets"), (int) rvfp[2]);
        for (long i = 3 * rvfp[0]; i < all.elements(); i += 3) {
            all.set(i + 1, 1 + Math.abs(all.get(i + 1)) / 100);
            all.set(i + 2, 0);
        }
    }

    private static String describe(long[] rvfp, double offset, boolean strided) {
        return "R=" + rvfp[0] + " V=" + rvfp[1] + " first=" + rvfp[2] + " parts=" + rvfp[3]
                + (offset == 0 ? "" : " offset " + offset) + (strided ? " strided" : "");
    }

    /** About half in the part, its ends more often; the others before or behind it. */
    private static Fill around(int first, long count) {
        return random -> switch (random.nextInt(6)) {
            case 0 -> first;
            case 1 -> first + count - 1;
            case 2 -> first + count + random.nextInt(50);
            case 3 -> Math.max(0, first - 1 - random.nextInt(50));
            default -> first + random.nextLong(count);
        };
    }

    private static Fill targets(int first, long count) {
        Fill here = around(first, count);
        return random -> random.nextInt(5) == 0 ? -random.nextInt(1, 101) : here.next(random);
    }
}
