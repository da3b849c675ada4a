package io.penstock.jmh.direct;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.penstock.jmh.NativeHeap;
import io.penstock.models.MicroBatchShape;
import io.penstock.models.ModelConfig;
import io.penstock.tensor.DType;
import io.penstock.tensor.cpu.CpuBackend;
import java.lang.management.ManagementFactory;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Once compiled, whole training steps leave nothing on the Java heap and nothing on the native one. */
@Timeout(120)
final class StepAllocationTest {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private static final int STEPS = 20;
    private static final long LIMIT_NS = 60_000_000_000L;

    @Test
    void shouldAllocateNothingInAStepOfBf16() {
        check(DType.BF16);
    }

    @Test
    void shouldAllocateNothingInAStepOfF32() {
        check(DType.F32);
    }

    private static void check(DType dtype) {
        ModelConfig config = new ModelConfig("gpt2", 2, 96, 3, 384, 64, 503, 1e-5f, true, 0.02);
        MicroBatchShape microBatch = new MicroBatchShape(2, 64);
        var random = new SplittableRandom(1);
        int[] tokens = random.ints(128, 0, config.vocabSize()).toArray();
        int[] targets = random.ints(128, 0, config.vocabSize()).toArray();
        try (DirectGpt2 model = new DirectGpt2(new CpuBackend(2), config, microBatch, dtype)) {
            model.initialize(1);
            long end = System.nanoTime() + LIMIT_NS;
            long heap;
            long malloc;
            do {
                long mallocBefore = NativeHeap.bytesInUse().orElse(0);
                long heapBefore = THREADS.getTotalThreadAllocatedBytes();
                for (int i = 0; i < STEPS; i++) {
                    step(model, tokens, targets);
                }
                heap = (THREADS.getTotalThreadAllocatedBytes() - heapBefore) / STEPS;
                malloc = NativeHeap.bytesInUse().orElse(0) - mallocBefore;
            } while ((heap > 0 || malloc > 0) && System.nanoTime() < end);
            assertTrue(heap <= 0, heap + " bytes of the Java heap a step of " + dtype);
            assertTrue(malloc <= 0, malloc + " bytes of the native heap in " + STEPS + " steps of " + dtype);
        }
    }

    private static void step(DirectGpt2 model, int[] tokens, int[] targets) {
        model.backward(tokens, targets);
        model.clip(1);
        model.step(1e-3, 0.9, 0.95, 1e-8, 0.1);
    }
}
