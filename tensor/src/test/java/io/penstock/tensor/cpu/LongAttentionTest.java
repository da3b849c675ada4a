package io.penstock.tensor.cpu;

import static io.penstock.tensor.TestTensors.assertClose;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.penstock.tensor.AttentionShape;
import io.penstock.tensor.Backend;
import io.penstock.tensor.DType;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.TestTensors;
import io.penstock.tensor.reference.ReferenceBackend;
import org.junit.jupiter.api.Test;

/** Sequences of several chunks of keys and heads so wide that chunks shrink: the corners of {@link AttentionBlocks} that the contract's sizes do not reach. */
final class LongAttentionTest {
    @Test
    void shouldAttendOverSeveralChunksInF32() {
        check(new AttentionShape(1, 2100, 2, 1, 8), DType.F32, 3e-5);
    }

    @Test
    void shouldAttendOverSeveralChunksInBf16() {
        check(new AttentionShape(1, 1100, 1, 1, 16), DType.BF16, 2e-2);
    }

    @Test
    void shouldAttendOverWholeChunks() {
        check(new AttentionShape(1, 2048, 1, 1, 8), DType.F32, 3e-5);
    }

    @Test
    void shouldAttendWithWideHeads() {
        check(new AttentionShape(1, 400, 1, 1, 520), DType.F32, 1e-4);
    }

    /** Keys and values whose rows lie whole pages apart are packed where there are many of them. */
    @Test
    void shouldAttendOverRowsWholePagesApart() {
        assertTrue(PagedRows.deservePacking(DType.F32, 1024, 300));
        check(new AttentionShape(1, 1100, 2, 1, 20), DType.F32, 3e-5, 1024);
        check(new AttentionShape(1, 1030, 1, 1, 128), DType.F32, 3e-5, 1024); // packed, a chunk fills its place
    }

    private static void check(AttentionShape shape, DType dtype, double tolerance) {
        check(shape, dtype, tolerance, 2L * shape.keyValueHeads() * shape.headSize());
    }

    /** Keys and values are columns of a matrix of {@code width}. */
    private static void check(AttentionShape shape, DType dtype, double tolerance, long width) {
        long rows = shape.rows();
        long queryColumns = (long) shape.heads() * shape.headSize();
        long keyColumns = (long) shape.keyValueHeads() * shape.headSize();
        Tensor q = TestTensors.random(1, dtype, rows, queryColumns);
        Tensor both = TestTensors.random(2, dtype, rows, width);
        Tensor k = both.columns(0, keyColumns);
        Tensor v = both.columns(keyColumns, keyColumns);
        Tensor dO = TestTensors.random(4, dtype, rows, queryColumns);
        try (Backend reference = new ReferenceBackend();
                Backend cpu = new CpuBackend(2)) {
            Tensor[] expected = run(reference, q, k, v, dO, shape);
            Tensor[] actual = run(cpu, q, k, v, dO, shape);
            String[] names = {"o", "lse", "dq", "dk", "dv"};
            for (int i = 0; i < names.length; i++) {
                double absolute = tolerance * TestTensors.maxAbs(expected[i]);
                assertClose(shape + " " + dtype + " " + names[i], actual[i], expected[i], tolerance, absolute);
            }
        }
    }

    private static Tensor[] run(Backend backend, Tensor q, Tensor k, Tensor v, Tensor dO, AttentionShape shape) {
        DType dtype = q.dtype();
        Tensor o = TestTensors.zeros(dtype, q.shape().rows(), q.shape().last());
        Tensor lse = TestTensors.zeros(DType.F32, shape.batch(), shape.heads(), shape.sequence());
        Tensor dq = TestTensors.zeros(dtype, q.shape().rows(), q.shape().last());
        Tensor dk = TestTensors.zeros(dtype, k.shape().rows(), k.shape().last());
        Tensor dv = TestTensors.zeros(dtype, v.shape().rows(), v.shape().last());
        backend.attention(o, lse, q, k, v, shape);
        backend.attentionBackward(dq, dk, dv, dO, o, lse, q, k, v, shape);
        return new Tensor[] {o, lse, dq, dk, dv};
    }
}
