package io.penstock.tensor;

import static io.penstock.tensor.OperandChecks.computeType;
import static io.penstock.tensor.OperandChecks.disjoint;
import static io.penstock.tensor.OperandChecks.matrix;
import static io.penstock.tensor.OperandChecks.vector;

/** {@link OperationChecks} of attention. */
public final class AttentionChecks {
    private AttentionChecks() {}

    public static void attention(Tensor o, Tensor lse, Tensor q, Tensor k, Tensor v, AttentionShape shape) {
        if (!Checks.ENABLED) {
            return;
        }
        attentionInputs(q, k, v, lse, shape);
        Checks.contiguous("o", o);
        attentionRows("o", o, q.dtype(), shape, shape.heads());
        disjoint("o", o, "q", q);
        disjoint("o", o, "k", k);
        disjoint("o", o, "v", v);
    }

    public static void attentionBackward(
            Tensor dq,
            Tensor dk,
            Tensor dv,
            Tensor dO,
            Tensor o,
            Tensor lse,
            Tensor q,
            Tensor k,
            Tensor v,
            AttentionShape shape) {
        if (!Checks.ENABLED) {
            return;
        }
        attentionInputs(q, k, v, lse, shape);
        Checks.contiguous("o", o);
        Checks.contiguous("do", dO);
        attentionRows("o", o, q.dtype(), shape, shape.heads());
        attentionRows("do", dO, q.dtype(), shape, shape.heads());
        attentionGradient("dq", dq, shape.heads(), dO, o, q, k, v, shape);
        attentionGradient("dk", dk, shape.keyValueHeads(), dO, o, q, k, v, shape);
        attentionGradient("dv", dv, shape.keyValueHeads(), dO, o, q, k, v, shape);
        disjoint("dq", dq, "dk", dk);
        disjoint("dq", dq, "dv", dv);
        disjoint("dk", dk, "dv", dv);
    }

    private static void attentionInputs(Tensor q, Tensor k, Tensor v, Tensor lse, AttentionShape shape) {
        computeType("q", q);
        attentionRows("q", q, q.dtype(), shape, shape.heads());
        attentionRows("k", k, q.dtype(), shape, shape.keyValueHeads());
        attentionRows("v", v, q.dtype(), shape, shape.keyValueHeads());
        vector("lse", lse, shape.rows() * shape.heads(), q.dtype().accumulator());
    }

    private static void attentionRows(String name, Tensor x, DType dtype, AttentionShape shape, int heads) {
        Checks.dtype(name, x, dtype);
        matrix(name, x, shape.rows(), (long) heads * shape.headSize());
    }

    private static void attentionGradient(
            String name,
            Tensor dx,
            int heads,
            Tensor dO,
            Tensor o,
            Tensor q,
            Tensor k,
            Tensor v,
            AttentionShape shape) {
        attentionRows(name, dx, q.dtype(), shape, heads);
        disjoint(name, dx, "do", dO);
        disjoint(name, dx, "o", o);
        disjoint(name, dx, "q", q);
        disjoint(name, dx, "k", k);
        disjoint(name, dx, "v", v);
    }
}
