package io.penstock.tensor.cpu;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.penstock.tensor.AttentionShape;
import io.penstock.tensor.Backend;
import io.penstock.tensor.DType;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.TestTensors;
import io.penstock.tensor.Write;
import java.lang.management.ManagementFactory;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Once compiled, no operation allocates on the heap, in either type, although both went through the same code. */
final class AllocationTest {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private static final int ROUND = 200;
    private static final long LIMIT_NS = 20_000_000_000L;

    /** Of a round, in bytes: what the measuring itself and the JIT's threads may leave; one vector object is 96 bytes. */
    private static final long NOTHING = 50L * ROUND;

    @Test
    void shouldAllocateNothingOnceCompiled() {
        try (CpuBackend backend = new CpuBackend(2)) {
            Map<String, Runnable> operations = new LinkedHashMap<>();
            operations(backend, DType.F32, operations);
            operations(backend, DType.BF16, operations);
            operations(backend, DType.F16, operations);
            for (Map.Entry<String, Runnable> operation : operations.entrySet()) {
                round(operation.getValue());
            }
            for (Map.Entry<String, Runnable> operation : operations.entrySet()) {
                long end = System.nanoTime() + LIMIT_NS;
                long bytes = round(operation.getValue());
                while (bytes > NOTHING && System.nanoTime() < end) {
                    bytes = round(operation.getValue());
                }
                assertTrue(bytes <= NOTHING, operation.getKey() + " allocates " + bytes / ROUND + " bytes a call");
            }
        }
    }

    private static long round(Runnable operation) {
        long before = THREADS.getTotalThreadAllocatedBytes();
        for (int i = 0; i < ROUND; i++) {
            operation.run();
        }
        return THREADS.getTotalThreadAllocatedBytes() - before;
    }

    private static void operations(Backend backend, DType dtype, Map<String, Runnable> operations) {
        int rows = 70;
        int columns = 200;
        Tensor x = TestTensors.random(1, dtype, rows, columns);
        Tensor y = TestTensors.random(2, dtype, rows, columns);
        Tensor z = TestTensors.random(3, dtype, rows, columns);
        Tensor out = TestTensors.zeros(dtype, rows, columns);
        Tensor weight = TestTensors.random(4, dtype, columns, columns);
        Tensor dWeight = TestTensors.zeros(DType.F32, columns, columns);
        Tensor gain = TestTensors.random(5, DType.F32, columns);
        Tensor bias = TestTensors.random(6, DType.F32, columns);
        Tensor dBias = TestTensors.zeros(DType.F32, columns);
        Tensor dGain = TestTensors.zeros(DType.F32, columns);
        Tensor mean = TestTensors.zeros(DType.F32, rows);
        Tensor rstd = TestTensors.zeros(DType.F32, rows);
        Tensor ids = TestTensors.randomInts(7, 0, columns, rows);
        Tensor logits = TestTensors.random(8, DType.F32, rows, columns);
        Tensor loss = TestTensors.zeros(DType.F32, rows);
        operations.put(dtype + " zero", () -> backend.zero(out));
        operations.put(dtype + " copy", () -> backend.copy(out, logits));
        operations.put(dtype + " add", () -> backend.add(logits, x));
        operations.put(dtype + " matmul", () -> backend.matmul(out, x, false, weight, true, bias, Write.OVERWRITE));
        operations.put(dtype + " matmul +=", () -> backend.matmul(dWeight, x, true, y, false, null, Write.ACCUMULATE));
        operations.put(dtype + " sumRows", () -> backend.sumRows(dBias, x));
        operations.put(dtype + " embedding", () -> backend.embedding(out, ids, weight, weight, 35));
        operations.put(dtype + " embeddingBackward", () -> backend.embeddingBackward(dWeight, dWeight, x, ids, 35));
        operations.put(dtype + " layerNorm", () -> backend.layerNorm(out, mean, rstd, x, gain, bias, 1e-5f));
        operations.put(
                dtype + " addLayerNorm", () -> backend.addLayerNorm(z, out, mean, rstd, x, y, gain, bias, 1e-5f));
        operations.put(
                dtype + " layerNormBackward",
                () -> backend.layerNormBackward(out, dGain, dBias, y, x, x, gain, mean, rstd));
        operations.put(dtype + " gelu", () -> backend.gelu(out, x));
        operations.put(dtype + " geluBackward", () -> backend.geluBackward(out, y, x));
        operations.put(dtype + " crossEntropy", () -> backend.crossEntropy(loss, out, logits, ids, 0.01f));
        Tensor statistics = TestTensors.random(9, DType.F32, 2, rows, 3);
        Tensor own = statistics.slice(0, 1);
        operations.put(dtype + " embeddingPart", () -> backend.embeddingPart(out, ids, weight, 50));
        operations.put(dtype + " embeddingPartBackward", () -> backend.embeddingPartBackward(dWeight, x, ids, 50));
        operations.put(dtype + " softmaxPart", () -> backend.softmaxPart(own, logits, ids, 50));
        operations.put(
                dtype + " crossEntropyPart",
                () -> backend.crossEntropyPart(loss, out, logits, ids, statistics, 50, 0.01f));
        Tensor sum = TestTensors.zeros(DType.F64, 1);
        Tensor[] terms = {x, y, z};
        operations.put(dtype + " addAll", () -> backend.addAll(out, terms));
        operations.put(dtype + " sumOfSquares", () -> backend.sumOfSquares(sum, x));
        operations.put(dtype + " sum", () -> backend.sum(sum, x));
        llama(backend, dtype, operations);
        attention(backend, dtype, operations);
        adamW(backend, dtype, operations);
    }

    private static void llama(Backend backend, DType dtype, Map<String, Runnable> operations) {
        Tensor x = TestTensors.random(1, dtype, 70, 200);
        Tensor y = TestTensors.random(2, dtype, 70, 200);
        Tensor z = TestTensors.random(3, dtype, 70, 200);
        Tensor out = TestTensors.zeros(dtype, 70, 200);
        Tensor gain = TestTensors.random(4, DType.F32, 200);
        Tensor dGain = TestTensors.zeros(DType.F32, 200);
        Tensor rstd = TestTensors.zeros(DType.F32, 70);
        operations.put(dtype + " rmsNorm", () -> backend.rmsNorm(out, rstd, x, gain, 1e-5f));
        operations.put(dtype + " addRmsNorm", () -> backend.addRmsNorm(z, out, rstd, x, y, gain, 1e-5f));
        operations.put(dtype + " rmsNormBackward", () -> backend.rmsNormBackward(out, dGain, y, x, x, gain, rstd));
        operations.put(dtype + " rotary", () -> backend.rotary(out, x, 40, 35, 1e4));
        operations.put(dtype + " rotaryBackward", () -> backend.rotaryBackward(out, out, 40, 35, 1e4));
        operations.put(dtype + " swiglu", () -> backend.swiglu(out, x, y));
        operations.put(dtype + " swigluBackward", () -> backend.swigluBackward(out, z, out, x, y));
    }

    private static void attention(Backend backend, DType dtype, Map<String, Runnable> operations) {
        AttentionShape shape = new AttentionShape(1, 150, 2, 1, 24);
        Tensor q = TestTensors.random(1, dtype, 150, 48);
        Tensor k = TestTensors.random(2, dtype, 150, 24);
        Tensor v = TestTensors.random(3, dtype, 150, 24);
        Tensor o = TestTensors.zeros(dtype, 150, 48);
        Tensor dO = TestTensors.random(4, dtype, 150, 48);
        Tensor lse = TestTensors.zeros(DType.F32, 1, 2, 150);
        Tensor dq = TestTensors.zeros(dtype, 150, 48);
        Tensor dk = TestTensors.zeros(dtype, 150, 24);
        Tensor dv = TestTensors.zeros(dtype, 150, 24);
        operations.put(dtype + " attention", () -> backend.attention(o, lse, q, k, v, shape));
        operations.put(
                dtype + " attentionBackward", () -> backend.attentionBackward(dq, dk, dv, dO, o, lse, q, k, v, shape));
    }

    private static void adamW(Backend backend, DType dtype, Map<String, Runnable> operations) {
        Tensor w = TestTensors.random(1, DType.F32, 5000);
        Tensor m = TestTensors.zeros(DType.F32, 5000);
        Tensor v = TestTensors.zeros(DType.F32, 5000);
        Tensor g = TestTensors.random(2, DType.F32, 5000);
        Tensor working = TestTensors.zeros(dtype, 5000);
        operations.put(
                dtype + " adamW",
                () -> backend.adamW(w, m, v, g, working, 1e-3f, 0.9f, 0.95f, 1e-8f, 0.1f, 0.1f, 0.05f, 1f));
    }
}
