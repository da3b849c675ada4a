package io.penstock.tensor.reference;

import static io.penstock.tensor.DType.BF16;
import static io.penstock.tensor.DType.F32;
import static io.penstock.tensor.DType.F64;
import static io.penstock.tensor.DType.I32;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.penstock.tensor.AttentionShape;
import io.penstock.tensor.Shape;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.TestTensors;
import io.penstock.tensor.Write;
import org.junit.jupiter.api.Test;

/** The oracle against numbers worked out by hand or from the literature's formulas. */
final class ReferenceBackendTest {
    private final ReferenceBackend backend = new ReferenceBackend();

    @Test
    void shouldMultiplyByHand() {
        Tensor a = TestTensors.of(F32, 1, 2, 3, 4, 5, 6).reshape(Shape.of(2, 3));
        Tensor b = TestTensors.of(F32, 1, 0, 0, 1, 2, -1).reshape(Shape.of(3, 2));
        Tensor c = TestTensors.zeros(F32, 2, 2);
        backend.matmul(c, a, false, b, false, TestTensors.of(F32, 10, 20), Write.OVERWRITE);
        assertArrayEquals(new double[] {17, 19, 26, 19}, TestTensors.values(c));
        backend.matmul(c, a, false, b, false, null, Write.ACCUMULATE);
        assertArrayEquals(new double[] {24, 18, 42, 18}, TestTensors.values(c));
    }

    @Test
    void shouldRoundOnceAtTheOutput() {
        // F32 partial sums would stay at 2^24
        Tensor ones = TestTensors.of(F32, 1, 1, 1);
        Tensor c = TestTensors.zeros(F32, 1, 1);
        Tensor big = TestTensors.of(F32, Math.pow(2, 24), 1, 1);
        backend.matmul(c, big, false, ones, true, null, Write.OVERWRITE);
        assertEquals(Math.pow(2, 24) + 2, c.get(0));
    }

    @Test
    void shouldNormaliseRows() {
        Tensor x = TestTensors.of(F64, 1, 2, 3, 4);
        Tensor y = TestTensors.zeros(F64, 4);
        Tensor mean = TestTensors.zeros(F64, 1);
        Tensor rstd = TestTensors.zeros(F64, 1);
        backend.layerNorm(y, mean, rstd, x, TestTensors.of(F64, 1, 1, 1, 2), TestTensors.of(F64, 0, 0, 0, 5), 0);
        double r = 1 / Math.sqrt(1.25);
        assertArrayEquals(new double[] {-1.5 * r, -0.5 * r, 0.5 * r, 2 * 1.5 * r + 5}, TestTensors.values(y), 1e-15);
        assertEquals(2.5, mean.get(0));
        assertEquals(r, rstd.get(0), 1e-15);
    }

    @Test
    void shouldNormTheRoundedSum() {
        Tensor x = TestTensors.of(BF16, 256, 0);
        Tensor residual = TestTensors.of(BF16, 1, 0);
        Tensor sum = TestTensors.zeros(BF16, 2);
        Tensor mean = TestTensors.zeros(F32, 1);
        backend.addLayerNorm(
                sum,
                TestTensors.zeros(BF16, 2),
                mean,
                TestTensors.zeros(F32, 1),
                x,
                residual,
                TestTensors.of(F32, 1, 1),
                TestTensors.zeros(F32, 2),
                1e-5f);
        assertEquals(256, sum.get(0), "257 is no bf16 number and ties to even");
        assertEquals(128, mean.get(0));
    }

    @Test
    void shouldLookOnlyBackInAttention() {
        // Equal scores: each row is the mean of the values up to it.
        Tensor q = TestTensors.zeros(F64, 3, 1);
        Tensor k = TestTensors.of(F64, 5, -3, 2).reshape(Shape.of(3, 1));
        Tensor v = TestTensors.of(F64, 3, 5, 10).reshape(Shape.of(3, 1));
        Tensor o = TestTensors.zeros(F64, 3, 1);
        Tensor lse = TestTensors.zeros(F64, 1, 1, 3);
        backend.attention(o, lse, q, k, v, new AttentionShape(1, 3, 1, 1, 1));
        assertArrayEquals(new double[] {3, 4, 6}, TestTensors.values(o), 1e-14);
        assertArrayEquals(new double[] {0, Math.log(2), Math.log(3)}, TestTensors.values(lse), 1e-15);
    }

    @Test
    void shouldGiveTheTanhFormOfGelu() {
        Tensor y = TestTensors.zeros(F64, 4);
        backend.gelu(y, TestTensors.of(F64, 0, 1, -1, 3));
        // by Python's math.tanh
        assertArrayEquals(new double[] {0, 0.8411919906, -0.1588080094, 2.9963626079}, TestTensors.values(y), 1e-9);
    }

    @Test
    void shouldLoseTheLogOfTheVocabularyOnEqualLogits() {
        Tensor loss = TestTensors.zeros(F32, 2);
        Tensor dlogits = TestTensors.random(1, BF16, 2, 4);
        backend.crossEntropy(loss, dlogits, TestTensors.zeros(F32, 2, 4), TestTensors.of(I32, 1, -1), 0.5f);
        assertArrayEquals(new double[] {(float) Math.log(4), 0}, TestTensors.values(loss));
        assertArrayEquals(new double[] {0.125, -0.375, 0.125, 0.125, 0, 0, 0, 0}, TestTensors.values(dlogits));
    }

    @Test
    void shouldTakeAnAdamWStep() {
        Tensor weight = TestTensors.of(F64, 1);
        Tensor m = TestTensors.of(F64, 0);
        Tensor v = TestTensors.of(F64, 0);
        Tensor gradient = TestTensors.of(F64, 8);
        Tensor working = TestTensors.zeros(BF16, 1);
        // beta1 = 0.5, beta2 = 0.75, first step: m / c1 = g, v / c2 = g^2, so the step is sign(g) + decay
        backend.adamW(weight, m, v, gradient, working, 0.125f, 0.5f, 0.75f, 0, 0.5f, 0.5f, 0.25f, 0.25f);
        assertEquals(1, m.get(0));
        assertEquals(1, v.get(0));
        assertEquals(1 - 0.125 * (1 + 0.5), weight.get(0));
        assertEquals(0.8125, working.get(0));
        assertEquals(0, gradient.get(0));
        backend.sumOfSquares(m, working);
        assertEquals(0.8125 * 0.8125, m.get(0));
    }
}
