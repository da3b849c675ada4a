package io.penstock.tensor;

import org.jspecify.annotations.Nullable;

/**
 * The argument checks of every {@link Backend} operation, under the operation's own name and argument list: shapes, dtypes, strides, overlaps. One
 * place, so that all backends refuse the same calls. Nothing is allocated unless a check fails, with {@link IllegalStateException} and the numbers; all
 * off when {@link Checks#ENABLED} is. Which compute types a backend has is its own to say.
 */
public final class OperationChecks {
    private OperationChecks() {}

    public static void zero(Tensor x) {
        if (Checks.ENABLED) {
            Checks.contiguous("x", x);
        }
    }

    public static void copy(Tensor y, Tensor x) {
        if (Checks.ENABLED) {
            computeType("x", x);
            computeType("y", y);
            matrix("y", y, x.shape().rows(), x.shape().last());
            disjoint("y", y, "x", x);
        }
    }

    public static void add(Tensor y, Tensor x) {
        if (Checks.ENABLED) {
            contiguousCompute("x", x);
            contiguousCompute("y", y);
            Checks.elements("y", y, x.elements());
            disjoint("y", y, "x", x);
        }
    }

    public static void matmul(
            Tensor c, Tensor a, boolean transposeA, Tensor b, boolean transposeB, @Nullable Tensor bias, Write write) {
        if (!Checks.ENABLED) {
            return;
        }
        computeType("a", a);
        Checks.dtype("b", b, a.dtype());
        long m = transposeA ? a.shape().last() : a.shape().rows();
        long k = transposeA ? a.shape().rows() : a.shape().last();
        long n = transposeB ? b.shape().rows() : b.shape().last();
        matrix("b", b, transposeB ? n : k, transposeB ? k : n);
        matrix("c", c, m, n);
        DType accumulator = a.dtype().accumulator();
        if (c.dtype() != a.dtype() || write == Write.ACCUMULATE) {
            Checks.dtype("c", c, accumulator);
        }
        if (bias != null) {
            if (write == Write.ACCUMULATE) {
                throw new IllegalStateException("a bias " + bias + " needs " + Write.OVERWRITE + ", not " + write);
            }
            vector("bias", bias, n, accumulator);
            disjoint("c", c, "bias", bias);
        }
        disjoint("c", c, "a", a);
        disjoint("c", c, "b", b);
    }

    public static void sumRows(Tensor db, Tensor dy) {
        if (Checks.ENABLED) {
            computeType("dy", dy);
            vector("db", db, dy.shape().last(), dy.dtype().accumulator());
            disjoint("db", db, "dy", dy);
        }
    }

    public static void embedding(Tensor y, Tensor tokens, Tensor wte, @Nullable Tensor wpe, int sequence) {
        if (!Checks.ENABLED) {
            return;
        }
        contiguousCompute("wte", wte);
        embeddingRows("y", y, tokens, sequence);
        matrix("y", y, y.shape().rows(), wte.shape().last());
        Checks.dtype("y", y, wte.dtype());
        if (wpe != null) {
            positions("wpe", wpe, sequence, wte);
            disjoint("y", y, "wpe", wpe);
        }
        disjoint("y", y, "wte", wte);
        disjoint("y", y, "tokens", tokens);
    }

    public static void embeddingBackward(Tensor dwte, @Nullable Tensor dwpe, Tensor dy, Tensor tokens, int sequence) {
        if (!Checks.ENABLED) {
            return;
        }
        embeddingRows("dy", dy, tokens, sequence);
        Checks.contiguous("dwte", dwte);
        Checks.dtype("dwte", dwte, dy.dtype().accumulator());
        matrix("dwte", dwte, dwte.shape().rows(), dy.shape().last());
        if (dwpe != null) {
            positions("dwpe", dwpe, sequence, dwte);
            disjoint("dwpe", dwpe, "dy", dy);
        }
        disjoint("dwte", dwte, "dy", dy);
    }

    /** For backends whose indices lie in host memory: every index below {@code limit}, and not negative unless {@code negativeAllowed}. */
    public static void indices(String name, Tensor indices, long limit, boolean negativeAllowed) {
        if (!Checks.ENABLED) {
            return;
        }
        for (long i = 0; i < indices.elements(); i++) {
            double index = indices.get(i);
            if (index >= limit || (index < 0 && !negativeAllowed)) {
                throw new IllegalStateException(name + "[" + i + "] = " + (long) index + ", expected below " + limit);
            }
        }
    }

    public static void layerNorm(Tensor y, Tensor mean, Tensor rstd, Tensor x, Tensor gain, Tensor bias) {
        if (!Checks.ENABLED) {
            return;
        }
        contiguousCompute("x", x);
        like("y", y, x);
        normStatistics(mean, rstd, x, gain);
        vector("bias", bias, x.shape().last(), x.dtype().accumulator());
        disjoint("y", y, "x", x);
    }

    public static void addLayerNorm(
            Tensor sum, Tensor y, Tensor mean, Tensor rstd, Tensor x, Tensor residual, Tensor gain, Tensor bias) {
        if (!Checks.ENABLED) {
            return;
        }
        contiguousCompute("x", x);
        like("residual", residual, x);
        like("sum", sum, x);
        disjointOrSame("sum", sum, "x", x);
        disjointOrSame("sum", sum, "residual", residual);
        disjoint("y", y, "x", x);
        disjoint("y", y, "residual", residual);
        layerNorm(y, mean, rstd, sum, gain, bias);
    }

    public static void layerNormBackward(
            Tensor dx,
            Tensor dgain,
            Tensor dbias,
            Tensor dy,
            @Nullable Tensor dresidual,
            Tensor x,
            Tensor gain,
            Tensor mean,
            Tensor rstd) {
        if (!Checks.ENABLED) {
            return;
        }
        contiguousCompute("x", x);
        like("dx", dx, x);
        like("dy", dy, x);
        normStatistics(mean, rstd, x, gain);
        vector("dgain", dgain, x.shape().last(), x.dtype().accumulator());
        vector("dbias", dbias, x.shape().last(), x.dtype().accumulator());
        disjointOrSame("dx", dx, "dy", dy);
        disjoint("dx", dx, "x", x);
        if (dresidual != null) {
            like("dresidual", dresidual, x);
            disjointOrSame("dx", dx, "dresidual", dresidual);
        }
    }

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

    public static void gelu(Tensor y, Tensor x) {
        if (Checks.ENABLED) {
            contiguousCompute("x", x);
            like("y", y, x);
            disjoint("y", y, "x", x);
        }
    }

    public static void geluBackward(Tensor dx, Tensor dy, Tensor x) {
        if (Checks.ENABLED) {
            contiguousCompute("x", x);
            like("dy", dy, x);
            like("dx", dx, x);
            disjointOrSame("dx", dx, "dy", dy);
            disjoint("dx", dx, "x", x);
        }
    }

    public static void crossEntropy(Tensor loss, @Nullable Tensor dlogits, Tensor logits, Tensor targets) {
        if (!Checks.ENABLED) {
            return;
        }
        computeType("logits", logits);
        Checks.dtype("logits", logits, logits.dtype().accumulator());
        vector("targets", targets, logits.shape().rows(), DType.I32);
        vector("loss", loss, logits.shape().rows(), logits.dtype());
        disjoint("loss", loss, "logits", logits);
        if (dlogits == null) {
            return;
        }
        computeType("dlogits", dlogits);
        matrix("dlogits", dlogits, logits.shape().rows(), logits.shape().last());
        if (dlogits.dtype().accumulator() != logits.dtype()) {
            throw new IllegalStateException(
                    "dlogits is " + dlogits.dtype() + ", whose accumulator is not logits' " + logits.dtype());
        }
        boolean inPlace = dlogits.address() == logits.address()
                && (logits.shape().rows() <= 1
                        || dlogits.rowStride() * dlogits.dtype().bytes()
                                == logits.rowStride() * logits.dtype().bytes());
        if (!inPlace) {
            disjoint("dlogits", dlogits, "logits", logits);
        }
        disjoint("dlogits", dlogits, "targets", targets);
        disjoint("dlogits", dlogits, "loss", loss);
    }

    public static void embeddingPart(Tensor y, Tensor tokens, Tensor wte, int first) {
        if (!Checks.ENABLED) {
            return;
        }
        contiguousCompute("wte", wte);
        embeddingRows("y", y, tokens, 1);
        matrix("y", y, y.shape().rows(), wte.shape().last());
        Checks.dtype("y", y, wte.dtype());
        disjoint("y", y, "wte", wte);
        disjoint("y", y, "tokens", tokens);
        notNegative(first);
    }

    public static void embeddingPartBackward(Tensor dwte, Tensor dy, Tensor tokens, int first) {
        if (Checks.ENABLED) {
            embeddingBackward(dwte, null, dy, tokens, 1);
            notNegative(first);
        }
    }

    public static void softmaxPart(Tensor statistics, Tensor logits, Tensor targets, int first) {
        if (!Checks.ENABLED) {
            return;
        }
        computeType("logits", logits);
        Checks.dtype("logits", logits, logits.dtype().accumulator());
        vector("targets", targets, logits.shape().rows(), DType.I32);
        statistics(statistics, 1, logits);
        disjoint("statistics", statistics, "logits", logits);
        notNegative(first);
    }

    public static void crossEntropyPart(
            Tensor loss, @Nullable Tensor dlogits, Tensor logits, Tensor targets, Tensor statistics, int first) {
        if (!Checks.ENABLED) {
            return;
        }
        crossEntropy(loss, dlogits, logits, targets);
        long rows = logits.shape().rows();
        statistics(statistics, Math.max(1, statistics.shape().rows() / Math.max(1, rows)), logits);
        disjoint("loss", loss, "statistics", statistics);
        if (dlogits != null) {
            disjoint("dlogits", dlogits, "statistics", statistics);
        }
        notNegative(first);
    }

    private static void statistics(Tensor statistics, long parts, Tensor logits) {
        Checks.contiguous("statistics", statistics);
        Checks.dtype("statistics", statistics, logits.dtype());
        matrix("statistics", statistics, parts * logits.shape().rows(), 3);
    }

    private static void notNegative(int first) {
        if (first < 0) {
            throw new IllegalStateException("a part of a vocabulary cannot begin with first=" + first);
        }
    }

    public static void sum(Tensor x) {
        if (Checks.ENABLED) {
            contiguousCompute("x", x);
        }
    }

    public static void sumOfSquares(Tensor x) {
        if (Checks.ENABLED) {
            contiguousCompute("x", x);
        }
    }

    public static void adamW(Tensor weight, Tensor m, Tensor v, Tensor gradient, @Nullable Tensor working) {
        if (!Checks.ENABLED) {
            return;
        }
        computeType("weight", weight);
        DType accumulator = weight.dtype().accumulator();
        long elements = weight.elements();
        vector("weight", weight, elements, accumulator);
        vector("m", m, elements, accumulator);
        vector("v", v, elements, accumulator);
        vector("gradient", gradient, elements, accumulator);
        disjoint("weight", weight, "m", m);
        disjoint("weight", weight, "v", v);
        disjoint("weight", weight, "gradient", gradient);
        disjoint("m", m, "v", v);
        disjoint("m", m, "gradient", gradient);
        disjoint("v", v, "gradient", gradient);
        if (working != null) {
            contiguousCompute("working", working);
            Checks.elements("working", working, elements);
            disjoint("working", working, "weight", weight);
            disjoint("working", working, "gradient", gradient);
        }
    }

    private static void embeddingRows(String name, Tensor y, Tensor tokens, int sequence) {
        contiguousCompute(name, y);
        vector("tokens", tokens, y.shape().rows(), DType.I32);
        if (sequence < 1 || tokens.elements() % sequence != 0) {
            throw new IllegalStateException("tokens=" + tokens.elements() + " % sequence=" + sequence + " != 0");
        }
    }

    private static void positions(String name, Tensor wpe, int sequence, Tensor wte) {
        Checks.contiguous(name, wpe);
        Checks.dtype(name, wpe, wte.dtype());
        if (wpe.shape().last() != wte.shape().last() || wpe.shape().rows() < sequence) {
            throw new IllegalStateException(name + " has shape " + wpe.shape() + ", expected at least " + sequence
                    + " rows of " + wte.shape().last());
        }
    }

    private static void normStatistics(Tensor mean, Tensor rstd, Tensor x, Tensor gain) {
        DType accumulator = x.dtype().accumulator();
        vector("mean", mean, x.shape().rows(), accumulator);
        vector("rstd", rstd, x.shape().rows(), accumulator);
        vector("gain", gain, x.shape().last(), accumulator);
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

    static void computeType(String name, Tensor x) {
        if (x.dtype() == DType.I32) {
            throw new IllegalStateException(name + " is " + x.dtype() + ", expected F32, BF16, F16 or F64");
        }
    }

    static void contiguousCompute(String name, Tensor x) {
        computeType(name, x);
        Checks.contiguous(name, x);
    }

    /** Contiguous, of the rows, columns and dtype of {@code model}. */
    static void like(String name, Tensor x, Tensor model) {
        Checks.contiguous(name, x);
        Checks.dtype(name, x, model.dtype());
        matrix(name, x, model.shape().rows(), model.shape().last());
    }

    static void matrix(String name, Tensor x, long rows, long columns) {
        if (x.shape().rows() != rows || x.shape().last() != columns) {
            throw new IllegalStateException(
                    name + " has shape " + x.shape() + ", expected " + rows + " rows of " + columns);
        }
    }

    static void vector(String name, Tensor x, long elements, DType dtype) {
        Checks.contiguous(name, x);
        Checks.dtype(name, x, dtype);
        Checks.elements(name, x, elements);
    }

    static void disjoint(String outputName, Tensor output, String inputName, Tensor input) {
        if (Overlap.between(output, input)) {
            throw new IllegalStateException(outputName + " " + output + " overlaps " + inputName + " " + input
                    + ": addresses " + output.address() + " and " + input.address());
        }
    }

    static void disjointOrSame(String outputName, Tensor output, String inputName, Tensor input) {
        if (!Overlap.same(output, input)) {
            disjoint(outputName, output, inputName, input);
        }
    }
}
