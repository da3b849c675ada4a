package io.penstock.tensor.cpu;

import static io.penstock.tensor.TestTensors.assertClose;

import io.penstock.tensor.Backend;
import io.penstock.tensor.DType;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.TestTensors;
import io.penstock.tensor.Write;
import io.penstock.tensor.reference.ReferenceBackend;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Sums over k about as long as one, two and four pieces of {@link WidenedMatmul}, with as many rows as a piece has; without BF16 instructions for BF16 too, else for F16. */
final class WidenedMatmulTest {
    private static final int M = 256;
    private static final int N = 24;

    @ParameterizedTest
    @ValueSource(ints = {767, 768, 769, 1536, 1537, 3072})
    void shouldMultiplyAnyDepth(int k) {
        for (DType dtype : new DType[] {DType.BF16, DType.F16}) {
            check(dtype, dtype, k, false, Write.OVERWRITE);
            check(dtype, DType.F32, k, true, Write.ACCUMULATE);
        }
    }

    private static void check(DType dtype, DType output, int k, boolean transposed, Write write) {
        Tensor a = transposed ? TestTensors.random(1, dtype, k, M) : TestTensors.random(1, dtype, M, k);
        Tensor b = TestTensors.random(2, dtype, k, N);
        try (Backend reference = new ReferenceBackend();
                Backend cpu = new CpuBackend(2)) {
            Tensor expected = TestTensors.random(3, output, M, N);
            Tensor actual = TestTensors.random(3, output, M, N);
            reference.matmul(expected, a, transposed, b, false, null, write);
            cpu.matmul(actual, a, transposed, b, false, null, write);
            // one rounding of the result, or the order of a sum in F32
            double tolerance = output == DType.BF16 ? 1e-2 : output == DType.F16 ? 1e-3 : 1e-5;
            assertClose(
                    dtype + " " + output + " k=" + k,
                    actual,
                    expected,
                    tolerance,
                    tolerance * TestTensors.maxAbs(expected));
        }
    }
}
