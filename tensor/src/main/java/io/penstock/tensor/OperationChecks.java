package io.penstock.tensor;

import static io.penstock.tensor.OperandChecks.computeType;
import static io.penstock.tensor.OperandChecks.contiguousCompute;
import static io.penstock.tensor.OperandChecks.disjoint;
import static io.penstock.tensor.OperandChecks.disjointOrSame;
import static io.penstock.tensor.OperandChecks.like;
import static io.penstock.tensor.OperandChecks.matrix;
import static io.penstock.tensor.OperandChecks.vector;

import org.jspecify.annotations.Nullable;

/**
 * The argument checks of every {@link Backend} operation, here and in {@link AttentionChecks}, {@link VocabularyChecks} and {@link LlamaChecks}, under the operation's own name and argument list: shapes, dtypes, strides, overlaps. One
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

    public static void addAll(Tensor y, Tensor[] terms) {
        if (!Checks.ENABLED) {
            return;
        }
        if (terms.length == 0) {
            throw new IllegalStateException("a sum of 0 tensors");
        }
        contiguousCompute("y", y);
        for (Tensor term : terms) {
            Checks.contiguous("term", term);
            Checks.dtype("term", term, y.dtype());
            Checks.elements("term", term, y.elements());
            disjointOrSame("y", y, "term", term);
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

    /** Of elements or of their squares. */
    public static void sum(Tensor sum, Tensor x) {
        if (Checks.ENABLED) {
            contiguousCompute("x", x);
            vector("sum", sum, 1, DType.F64);
            disjoint("sum", sum, "x", x);
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

    private static void normStatistics(Tensor mean, Tensor rstd, Tensor x, Tensor gain) {
        DType accumulator = x.dtype().accumulator();
        vector("mean", mean, x.shape().rows(), accumulator);
        vector("rstd", rstd, x.shape().rows(), accumulator);
        vector("gain", gain, x.shape().last(), accumulator);
    }
}
