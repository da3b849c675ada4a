package io.penstock.tensor.cpu;

import static io.penstock.tensor.TestTensors.assertClose;

import io.penstock.tensor.Backend;
import io.penstock.tensor.DType;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.TestTensors;
import io.penstock.tensor.Write;
import io.penstock.tensor.reference.ReferenceBackend;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Sums over k so long that {@link DeepMatmul} cuts them, which the contract's sizes do not reach; the last piece is a short one. */
final class DeepMatmulTest {
    private static final int M = 13;
    private static final int N = 37;
    private static final int K = DeepMatmul.LONGEST + 331;

    /** A BF16 rounding of the result, or the order of a sum in F32. */
    private static final double BF16 = 1e-2;

    private static final double F32 = 1e-5;

    @Test
    void shouldRoundABf16ResultOnce() {
        check(DType.BF16, DType.BF16, false, null, Write.OVERWRITE, BF16);
    }

    @Test
    void shouldTakeTransposedWeights() {
        check(DType.BF16, DType.BF16, true, null, Write.OVERWRITE, BF16);
    }

    @Test
    void shouldAddTheBiasOnce() {
        check(DType.F32, DType.F32, false, TestTensors.random(5, DType.F32, N), Write.OVERWRITE, F32);
        check(DType.BF16, DType.BF16, true, TestTensors.random(5, DType.F32, N), Write.OVERWRITE, BF16);
    }

    @Test
    void shouldAccumulate() {
        check(DType.BF16, DType.F32, false, null, Write.ACCUMULATE, F32);
        check(DType.F32, DType.F32, true, null, Write.ACCUMULATE, F32);
    }

    private static void check(
            DType dtype, DType output, boolean transposeB, @Nullable Tensor bias, Write write, double tolerance) {
        Tensor a = TestTensors.random(1, dtype, M, K + 5).columns(3, K);
        Tensor b = transposeB
                ? TestTensors.random(2, dtype, N, K)
                : TestTensors.random(2, dtype, K, N + 7).columns(0, N);
        try (Backend reference = new ReferenceBackend();
                Backend cpu = new CpuBackend(2)) {
            Tensor expected = TestTensors.random(3, output, M, N + 9).columns(9, N);
            Tensor actual = TestTensors.random(3, output, M, N + 9).columns(9, N);
            reference.matmul(expected, a, false, b, transposeB, bias, write);
            cpu.matmul(actual, a, false, b, transposeB, bias, write);
            double absolute = tolerance * TestTensors.maxAbs(expected);
            assertClose(dtype + " " + output + " " + write, actual, expected, tolerance, absolute);
        }
    }
}
