package io.penstock.tensor.contract;

import static io.penstock.tensor.DType.F32;

import io.penstock.tensor.AttentionShape;
import io.penstock.tensor.DType;
import io.penstock.tensor.reference.ReferenceBackend;
import java.util.ArrayList;
import java.util.List;

/** Causal attention and its gradient: q, k and v apart, and as blocks of columns of one matrix, as a fused projection leaves them. */
final class AttentionCases {
    private static final AttentionShape[] SHAPES = {
        new AttentionShape(1, 1, 1, 1, 8),
        new AttentionShape(2, 1, 4, 2, 64),
        new AttentionShape(2, 7, 2, 1, 32),
        new AttentionShape(3, 13, 8, 2, 8),
        new AttentionShape(1, 64, 3, 3, 33),
        new AttentionShape(2, 64, 2, 2, 64),
        new AttentionShape(1, 65, 2, 2, 128),
        new AttentionShape(1, 207, 2, 2, 64),
        new AttentionShape(2, 207, 4, 2, 128),
        new AttentionShape(1, 1024, 1, 1, 64),
    };
    private static final Fill SCORES = Fill.uniform(-2, 2);

    private AttentionCases() {}

    static List<OperationCase> all() {
        List<OperationCase> cases = new ArrayList<>();
        for (AttentionShape shape : SHAPES) {
            for (DType dtype : shape.sequence() <= 65 ? Types.all() : Types.withoutF16()) {
                for (boolean packed : packings(shape, dtype)) {
                    cases.add(forward(shape, dtype, packed));
                    cases.add(backward(shape, dtype, packed));
                }
            }
        }
        cases.add(forwardOfHugeScores());
        return cases;
    }

    /** Of the largest shapes one each: strides are met at the smaller ones, and these take most of the time. */
    private static List<Boolean> packings(AttentionShape shape, DType dtype) {
        boolean large = shape.sequence() > 207 || (shape.sequence() == 207 && shape.headSize() == 128);
        return large ? List.of(dtype.isHalf()) : List.of(false, true);
    }

    private static OperationCase forward(AttentionShape shape, DType dtype, boolean packed) {
        CaseBuilder builder = CaseBuilder.of("attention", describe(shape, dtype, packed));
        inputs(builder, shape, dtype, packed, SCORES);
        return builder.output("o", output(shape, dtype, 2))
                .output("lse", Tolerance.sum(F32, terms(shape)).plusAbsolute(Tolerance.UNIT_F32 * terms(shape)))
                .run((backend, t) -> backend.attention(
                        t.tensor("o"), t.tensor("lse"), t.tensor("q"), t.tensor("k"), t.tensor("v"), shape));
    }

    /** Scores in the thousands: exp overflows unless the row's maximum is taken off first; an F32 score is only good to 1e-3 there. */
    private static OperationCase forwardOfHugeScores() {
        AttentionShape shape = new AttentionShape(1, 13, 2, 2, 8);
        CaseBuilder builder = CaseBuilder.of("attention", describe(shape, F32, false) + " huge scores");
        inputs(builder, shape, F32, false, Fill.uniform(-60, 60));
        return builder.output("o", new Tolerance(0, 0, 1e-2))
                .output("lse", new Tolerance(1e-6, 1e-2, 0))
                .run((backend, t) -> backend.attention(
                        t.tensor("o"), t.tensor("lse"), t.tensor("q"), t.tensor("k"), t.tensor("v"), shape));
    }

    private static OperationCase backward(AttentionShape shape, DType dtype, boolean packed) {
        long rows = shape.rows();
        long queryColumns = columns(shape, shape.heads());
        long keyColumns = columns(shape, shape.keyValueHeads());
        // ds = p (dp - d) cancels (wholly so where T = 1): its error is of the size of dp, not of the gradient
        Tolerance tolerance = output(shape, dtype, 4).plusAbsolute(Tolerance.UNIT_F32 * terms(shape));
        CaseBuilder builder = CaseBuilder.of("attentionBackward", describe(shape, dtype, packed));
        inputs(builder, shape, dtype, packed, SCORES);
        builder.prepare(t -> new ReferenceBackend()
                        .attention(t.tensor("o"), t.tensor("lse"), t.tensor("q"), t.tensor("k"), t.tensor("v"), shape))
                .tensor("do", dtype, Fill.UNIT, rows, queryColumns);
        if (packed) {
            long width = queryColumns + 2 * keyColumns;
            builder.tensor("dqkv", dtype, Fill.POISON, rows, width)
                    .view("dq", "dqkv", 0, dtype, width, rows, queryColumns)
                    .view("dk", "dqkv", queryColumns, dtype, width, rows, keyColumns)
                    .view("dv", "dqkv", queryColumns + keyColumns, dtype, width, rows, keyColumns);
        } else {
            builder.tensor("dq", dtype, Fill.POISON, rows, queryColumns)
                    .tensor("dk", dtype, Fill.POISON, rows, keyColumns)
                    .tensor("dv", dtype, Fill.POISON, rows, keyColumns);
        }
        return builder.output("dq", tolerance)
                .output("dk", tolerance)
                .output("dv", tolerance)
                .run((backend, t) -> backend.attentionBackward(
                        t.tensor("dq"),
                        t.tensor("dk"),
                        t.tensor("dv"),
                        t.tensor("do"),
                        t.tensor("o"),
                        t.tensor("lse"),
                        t.tensor("q"),
                        t.tensor("k"),
                        t.tensor("v"),
                        shape));
    }

    private static void inputs(CaseBuilder builder, AttentionShape shape, DType dtype, boolean packed, Fill scores) {
        long rows = shape.rows();
        long queryColumns = columns(shape, shape.heads());
        long keyColumns = columns(shape, shape.keyValueHeads());
        if (packed) {
            long width = queryColumns + 2 * keyColumns;
            builder.tensor("qkv", dtype, scores, rows, width)
                    .view("q", "qkv", 0, dtype, width, rows, queryColumns)
                    .view("k", "qkv", queryColumns, dtype, width, rows, keyColumns)
                    .view("v", "qkv", queryColumns + keyColumns, dtype, width, rows, keyColumns);
        } else {
            builder.tensor("q", dtype, scores, rows, queryColumns)
                    .tensor("k", dtype, scores, rows, keyColumns)
                    .tensor("v", dtype, Fill.UNIT, rows, keyColumns);
        }
        builder.tensor("o", dtype, Fill.POISON, rows, queryColumns)
                .tensor("lse", F32, Fill.POISON, shape.batch(), shape.heads(), shape.sequence());
    }

    /** Tiles may hold probabilities (and their gradients) rounded to 16 bits before the next product: some units of the largest output. */
    private static Tolerance output(AttentionShape shape, DType dtype, int roundings) {
        Tolerance tolerance = Tolerance.sum(dtype, terms(shape));
        return dtype.isHalf() ? tolerance.plusOfLargest(roundings * Tolerance.unit(dtype)) : tolerance;
    }

    private static long terms(AttentionShape shape) {
        return shape.sequence() + shape.headSize() + 64L;
    }

    private static long columns(AttentionShape shape, int heads) {
        return (long) heads * shape.headSize();
    }

    private static String describe(AttentionShape shape, DType dtype, boolean packed) {
        return dtype + " B=" + shape.batch() + " T=" + shape.sequence() + " N=" + shape.heads() + " Nkv="
                + shape.keyValueHeads() + " H=" + shape.headSize() + (packed ? " packed" : "");
    }
}
