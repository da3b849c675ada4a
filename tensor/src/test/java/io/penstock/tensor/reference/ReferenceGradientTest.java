package io.penstock.tensor.reference;

import static io.penstock.tensor.DType.F64;
import static io.penstock.tensor.DType.I32;

import io.penstock.tensor.AttentionShape;
import io.penstock.tensor.GradientCheck;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.TestTensors;
import io.penstock.tensor.Write;
import org.junit.jupiter.api.Test;

/** Every backward of the reference against central differences of its own forward: the scalar is sum(w * y), so dy = w. */
final class ReferenceGradientTest {
    private static final double TOLERANCE = 1e-8;

    private final ReferenceBackend backend = new ReferenceBackend();

    @Test
    void shouldDifferentiateMatmulAndBias() {
        Tensor x = TestTensors.random(1, F64, 5, 7);
        Tensor w = TestTensors.random(2, F64, 3, 7);
        Tensor bias = TestTensors.random(3, F64, 3);
        Tensor y = TestTensors.zeros(F64, 5, 3);
        Tensor dy = TestTensors.random(4, F64, 5, 3);
        Tensor dx = TestTensors.zeros(F64, 5, 7);
        Tensor dw = TestTensors.zeros(F64, 3, 7);
        Tensor dbias = TestTensors.zeros(F64, 3);
        backend.matmul(dx, dy, false, w, false, null, Write.OVERWRITE);
        backend.matmul(dw, dy, true, x, false, null, Write.ACCUMULATE);
        backend.sumRows(dbias, dy);
        GradientCheck.of("matmul", () -> {
                    backend.matmul(y, x, false, w, true, bias, Write.OVERWRITE);
                    return weightedSum(y, dy);
                })
                .gradient("x", x, dx)
                .gradient("w", w, dw)
                .gradient("bias", bias, dbias)
                .check(TOLERANCE);
    }

    @Test
    void shouldDifferentiateLayerNormAndResidual() {
        Tensor x = TestTensors.random(1, F64, 4, 13);
        Tensor gain = TestTensors.random(2, F64, 13);
        Tensor bias = TestTensors.random(3, F64, 13);
        Tensor y = TestTensors.zeros(F64, 4, 13);
        Tensor mean = TestTensors.zeros(F64, 4);
        Tensor rstd = TestTensors.zeros(F64, 4);
        Tensor dy = TestTensors.random(4, F64, 4, 13);
        Tensor dresidual = TestTensors.random(5, F64, 4, 13);
        Tensor dx = TestTensors.zeros(F64, 4, 13);
        Tensor dgain = TestTensors.zeros(F64, 13);
        Tensor dbias = TestTensors.zeros(F64, 13);
        backend.layerNorm(y, mean, rstd, x, gain, bias, 1e-5f);
        backend.layerNormBackward(dx, dgain, dbias, dy, dresidual, x, gain, mean, rstd);
        GradientCheck.of("layerNorm", () -> {
                    backend.layerNorm(y, mean, rstd, x, gain, bias, 1e-5f);
                    // the residual stream leaves x unchanged beside the norm
                    return weightedSum(y, dy) + weightedSum(x, dresidual);
                })
                .gradient("x", x, dx)
                .gradient("gain", gain, dgain)
                .gradient("bias", bias, dbias)
                .check(TOLERANCE);
    }

    @Test
    void shouldDifferentiateRmsNormAndResidual() {
        Tensor x = TestTensors.random(1, F64, 4, 13);
        Tensor gain = TestTensors.random(2, F64, 13);
        Tensor y = TestTensors.zeros(F64, 4, 13);
        Tensor rstd = TestTensors.zeros(F64, 4);
        Tensor dy = TestTensors.random(4, F64, 4, 13);
        Tensor dresidual = TestTensors.random(5, F64, 4, 13);
        Tensor dx = TestTensors.zeros(F64, 4, 13);
        Tensor dgain = TestTensors.zeros(F64, 13);
        backend.rmsNorm(y, rstd, x, gain, 1e-5f);
        backend.rmsNormBackward(dx, dgain, dy, dresidual, x, gain, rstd);
        GradientCheck.of("rmsNorm", () -> {
                    backend.rmsNorm(y, rstd, x, gain, 1e-5f);
                    return weightedSum(y, dy) + weightedSum(x, dresidual);
                })
                .gradient("x", x, dx)
                .gradient("gain", gain, dgain)
                .check(TOLERANCE);
    }

    @Test
    void shouldDifferentiateRotary() {
        Tensor x = TestTensors.random(1, F64, 10, 12);
        Tensor y = TestTensors.zeros(F64, 10, 12);
        Tensor dy = TestTensors.random(2, F64, 10, 12);
        Tensor dx = TestTensors.zeros(F64, 10, 12);
        backend.rotaryBackward(dx, dy, 6, 5, 100);
        GradientCheck.of("rotary", () -> {
                    backend.rotary(y, x, 6, 5, 100);
                    return weightedSum(y, dy);
                })
                .gradient("x", x, dx)
                .check(TOLERANCE);
    }

    @Test
    void shouldDifferentiateSwiglu() {
        Tensor gate = TestTensors.random(1, F64, 64);
        for (int i = 0; i < 64; i++) {
            gate.set(i, 4 * gate.get(i));
        }
        Tensor up = TestTensors.random(2, F64, 64);
        Tensor y = TestTensors.zeros(F64, 64);
        Tensor dy = TestTensors.random(3, F64, 64);
        Tensor dgate = TestTensors.zeros(F64, 64);
        Tensor dup = TestTensors.zeros(F64, 64);
        backend.swigluBackward(dgate, dup, dy, gate, up);
        GradientCheck.of("swiglu", () -> {
                    backend.swiglu(y, gate, up);
                    return weightedSum(y, dy);
                })
                .gradient("gate", gate, dgate)
                .gradient("up", up, dup)
                .check(TOLERANCE);
    }

    @Test
    void shouldDifferentiateAttentionWithSharedKeyHeads() {
        AttentionShape shape = new AttentionShape(2, 7, 4, 2, 5);
        Tensor q = TestTensors.random(1, F64, shape.rows(), 20);
        Tensor k = TestTensors.random(2, F64, shape.rows(), 10);
        Tensor v = TestTensors.random(3, F64, shape.rows(), 10);
        Tensor o = TestTensors.zeros(F64, shape.rows(), 20);
        Tensor lse = TestTensors.zeros(F64, 2, 4, 7);
        Tensor dO = TestTensors.random(4, F64, shape.rows(), 20);
        Tensor dq = TestTensors.zeros(F64, shape.rows(), 20);
        Tensor dk = TestTensors.zeros(F64, shape.rows(), 10);
        Tensor dv = TestTensors.zeros(F64, shape.rows(), 10);
        backend.attention(o, lse, q, k, v, shape);
        backend.attentionBackward(dq, dk, dv, dO, o, lse, q, k, v, shape);
        GradientCheck.of("attention", () -> {
                    backend.attention(o, lse, q, k, v, shape);
                    return weightedSum(o, dO);
                })
                .gradient("q", q, dq)
                .gradient("k", k, dk)
                .gradient("v", v, dv)
                .check(TOLERANCE);
    }

    @Test
    void shouldDifferentiateGelu() {
        Tensor x = TestTensors.random(1, F64, 64);
        for (int i = 0; i < 64; i++) {
            x.set(i, 4 * x.get(i));
        }
        Tensor y = TestTensors.zeros(F64, 64);
        Tensor dy = TestTensors.random(2, F64, 64);
        Tensor dx = TestTensors.zeros(F64, 64);
        backend.geluBackward(dx, dy, x);
        GradientCheck.of("gelu", () -> {
                    backend.gelu(y, x);
                    return weightedSum(y, dy);
                })
                .gradient("x", x, dx)
                .check(TOLERANCE);
    }

    @Test
    void shouldDifferentiateCrossEntropyAndSkipNegativeTargets() {
        float scale = 0.25f;
        Tensor logits = TestTensors.random(1, F64, 5, 13);
        Tensor targets = TestTensors.of(I32, 0, 12, -1, 7, -100);
        Tensor loss = TestTensors.zeros(F64, 5);
        Tensor dlogits = TestTensors.zeros(F64, 5, 13);
        backend.crossEntropy(loss, dlogits, logits, targets, scale);
        GradientCheck.of("crossEntropy", () -> {
                    backend.crossEntropy(loss, null, logits, targets, scale);
                    double sum = 0;
                    for (double value : TestTensors.values(loss)) {
                        sum += value;
                    }
                    return scale * sum;
                })
                .gradient("logits", logits, dlogits)
                .check(TOLERANCE);
    }

    @Test
    void shouldDifferentiateEmbeddingOfRepeatedTokens() {
        int sequence = 3;
        Tensor tokens = TestTensors.of(I32, 4, 0, 4, 4, 2, 0);
        Tensor wte = TestTensors.random(1, F64, 5, 7);
        Tensor wpe = TestTensors.random(2, F64, 4, 7);
        Tensor y = TestTensors.zeros(F64, 6, 7);
        Tensor dy = TestTensors.random(3, F64, 6, 7);
        Tensor dwte = TestTensors.zeros(F64, 5, 7);
        Tensor dwpe = TestTensors.zeros(F64, 4, 7);
        backend.embeddingBackward(dwte, dwpe, dy, tokens, sequence);
        GradientCheck.of("embedding", () -> {
                    backend.embedding(y, tokens, wte, wpe, sequence);
                    return weightedSum(y, dy);
                })
                .gradient("wte", wte, dwte)
                .gradient("wpe", wpe, dwpe)
                .check(TOLERANCE);
    }

    private static double weightedSum(Tensor y, Tensor weights) {
        double sum = 0;
        for (long i = 0; i < y.elements(); i++) {
            sum += y.get(i) * weights.get(i);
        }
        return sum;
    }
}
