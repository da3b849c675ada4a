package io.penstock.tensor.cpu;

import static io.penstock.tensor.TestTensors.assertClose;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.penstock.tensor.Backend;
import io.penstock.tensor.DType;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.TestTensors;
import io.penstock.tensor.Write;
import io.penstock.tensor.reference.ReferenceBackend;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Products whose pieces are full, short, one or several, in every dim; on any machine where oneDNN multiplies F32 by a 16-bit type. */
final class WidenedMatmulTest {
    @ParameterizedTest
    @ValueSource(ints = {1, 767, 768, 769, 1536, 1537, 3072})
    void shouldMultiplyAnyDepth(int k) {
        for (DType dtype : new DType[] {DType.BF16, DType.F16}) {
            check(256, 24, k, dtype, dtype, false, false, Write.OVERWRITE);
            check(256, 24, k, dtype, DType.F32, true, false, Write.ACCUMULATE);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3})
    void shouldMultiplyMoreRowsAndColumnsThanAPieceHas(int transposed) {
        boolean a = (transposed & 1) != 0;
        boolean b = (transposed & 2) != 0;
        check(300, 800, 40, DType.BF16, DType.BF16, a, b, Write.OVERWRITE);
        check(300, 800, 40, DType.BF16, DType.F32, a, b, Write.ACCUMULATE);
        check(300, 800, 40, DType.F16, DType.F16, a, b, Write.OVERWRITE);
    }

    private static void check(
            int m, int n, int k, DType dtype, DType output, boolean transposeA, boolean transposeB, Write write) {
        // parts of wider matrices
        Tensor a = TestTensors.random(1, dtype, transposeA ? k : m, (transposeA ? m : k) + 5)
                .columns(3, transposeA ? m : k);
        Tensor b = TestTensors.random(2, dtype, transposeB ? n : k, (transposeB ? k : n) + 7)
                .columns(0, transposeB ? k : n);
        Tensor expected = TestTensors.random(3, output, m, n + 9).columns(9, n);
        Tensor actual = TestTensors.random(3, output, m, n + 9).columns(9, n);
        try (Backend reference = new ReferenceBackend()) {
            reference.matmul(expected, a, transposeA, b, transposeB, null, write);
        }
        multiply(actual, a, transposeA, b, transposeB, write == Write.ACCUMULATE, k);
        // one rounding of the result, or the order of a sum in F32
        double tolerance = output == DType.BF16 ? 1e-2 : output == DType.F16 ? 1e-3 : 1e-5;
        String what = dtype + " " + output + " " + m + " x " + n + " x " + k + " " + transposeA + " " + transposeB;
        assertClose(what, actual, expected, tolerance, tolerance * TestTensors.maxAbs(expected));
    }

    private static void multiply(
            Tensor c, Tensor a, boolean transposeA, Tensor b, boolean transposeB, boolean accumulate, int k) {
        assumeTrue(OneDnnLibrary.PROBLEM == null, "no oneDNN: " + OneDnnLibrary.PROBLEM);
        int flags =
                MatmulShape.flags(transposeA, transposeB, a.dtype(), c.dtype().isHalf(), false, accumulate);
        int m = Math.toIntExact(c.shape().rows());
        int n = Math.toIntExact(c.shape().last());
        MatmulShape shape = MatmulShape.of(m, n, k, a.rowStride(), b.rowStride(), c.rowStride(), flags);
        try (Workspace workspace = new Workspace(1);
                OneDnnMatmuls factory = new OneDnnMatmuls(workspace, 1)) {
            MatmulKernel kernel = WidenedMatmul.create(shape, factory, workspace);
            assertNotNull(kernel, "oneDNN does not multiply F32 by " + a.dtype());
            kernel.run(0, a.address(), b.address(), c.address(), 0);
            kernel.close();
        }
    }
}
