package io.penstock.tensor;

import static io.penstock.tensor.OperandChecks.computeType;
import static io.penstock.tensor.OperandChecks.contiguousCompute;
import static io.penstock.tensor.OperandChecks.disjoint;
import static io.penstock.tensor.OperandChecks.disjointOrSame;
import static io.penstock.tensor.OperandChecks.like;
import static io.penstock.tensor.OperandChecks.matrix;
import static io.penstock.tensor.OperandChecks.vector;

import org.jspecify.annotations.Nullable;

/** {@link OperationChecks} of the operations that Llama's layers add: RMS norm, rotary embedding, SwiGLU. */
public final class LlamaChecks {
    private LlamaChecks() {}

    public static void rmsNorm(Tensor y, Tensor rstd, Tensor x, Tensor gain) {
        if (!Checks.ENABLED) {
            return;
        }
        contiguousCompute("x", x);
        like("y", y, x);
        normVectors(rstd, x, gain);
        disjoint("y", y, "x", x);
    }

    public static void addRmsNorm(Tensor sum, Tensor y, Tensor rstd, Tensor x, Tensor residual, Tensor gain) {
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
        rmsNorm(y, rstd, sum, gain);
    }

    public static void rmsNormBackward(
            Tensor dx, Tensor dgain, Tensor dy, @Nullable Tensor dresidual, Tensor x, Tensor gain, Tensor rstd) {
        if (!Checks.ENABLED) {
            return;
        }
        contiguousCompute("x", x);
        like("dx", dx, x);
        like("dy", dy, x);
        normVectors(rstd, x, gain);
        vector("dgain", dgain, x.shape().last(), x.dtype().accumulator());
        disjointOrSame("dx", dx, "dy", dy);
        disjoint("dx", dx, "x", x);
        if (dresidual != null) {
            like("dresidual", dresidual, x);
            disjointOrSame("dx", dx, "dresidual", dresidual);
        }
    }

    private static void normVectors(Tensor rstd, Tensor x, Tensor gain) {
        DType accumulator = x.dtype().accumulator();
        vector("rstd", rstd, x.shape().rows(), accumulator);
        vector("gain", gain, x.shape().last(), accumulator);
    }

    /** Of {@code rotary(y, x, ...)} and {@code rotaryBackward(dx, dy, ...)}. */
    public static void rotary(Tensor y, Tensor x, int headSize, int sequence, double theta) {
        if (!Checks.ENABLED) {
            return;
        }
        computeType("x", x);
        Checks.dtype("y", y, x.dtype());
        matrix("y", y, x.shape().rows(), x.shape().last());
        disjointOrSame("y", y, "x", x);
        if (headSize < 2 || headSize % 2 != 0 || x.shape().last() % headSize != 0) {
            throw new IllegalStateException("heads of " + headSize + " columns in rows of "
                    + x.shape().last() + ", expected an even number that divides it");
        }
        if (sequence < 1 || x.shape().rows() % sequence != 0) {
            throw new IllegalStateException("rows=" + x.shape().rows() + " % sequence=" + sequence + " != 0");
        }
        if (!(theta >= 1) || theta > 1e30) {
            throw new IllegalStateException("theta=" + theta + ", expected 1 to 1e30");
        }
    }

    public static void swiglu(Tensor y, Tensor gate, Tensor up) {
        if (!Checks.ENABLED) {
            return;
        }
        contiguousCompute("gate", gate);
        like("up", up, gate);
        like("y", y, gate);
        disjoint("y", y, "gate", gate);
        disjoint("y", y, "up", up);
    }

    public static void swigluBackward(Tensor dgate, Tensor dup, Tensor dy, Tensor gate, Tensor up) {
        if (!Checks.ENABLED) {
            return;
        }
        contiguousCompute("gate", gate);
        like("up", up, gate);
        like("dy", dy, gate);
        gradient("dgate", dgate, dy, gate, up);
        gradient("dup", dup, dy, gate, up);
        disjoint("dgate", dgate, "dup", dup);
    }

    private static void gradient(String name, Tensor gradient, Tensor dy, Tensor gate, Tensor up) {
        like(name, gradient, gate);
        disjointOrSame(name, gradient, "dy", dy);
        disjoint(name, gradient, "gate", gate);
        disjoint(name, gradient, "up", up);
    }
}
