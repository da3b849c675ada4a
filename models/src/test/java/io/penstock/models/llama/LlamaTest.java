package io.penstock.models.llama;

import static io.penstock.tensor.DType.BF16;
import static io.penstock.tensor.DType.F32;
import static io.penstock.tensor.DType.F64;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.penstock.models.IdleBackend;
import io.penstock.models.LayerMemory;
import io.penstock.models.MicroBatchShape;
import io.penstock.models.ModelConfig;
import io.penstock.models.TinyModel;
import io.penstock.models.parallel.Distribution;
import io.penstock.models.parallel.TensorSplit;
import io.penstock.models.parallel.ThreadTensorGroup;
import io.penstock.tensor.Backend;
import io.penstock.tensor.DType;
import io.penstock.tensor.GradientCheck;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.TestTensors;
import io.penstock.tensor.cpu.CpuBackend;
import io.penstock.tensor.reference.ReferenceBackend;
import java.lang.management.ManagementFactory;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The whole model, alone and over a group of ranks. */
final class LlamaTest {
    /** 8 query heads, 4 of keys and values; nothing else is a multiple of 4: 14 tokens, 50 feed-forward columns, 37 tokens of vocabulary. */
    private static final ModelConfig CONFIG =
            new ModelConfig("llama", 2, 32, 8, 50, 8, 37, 1e-5f, false, 0.3, 4, 10_000);

    private static final MicroBatchShape MICRO_BATCH = new MicroBatchShape(2, 7);
    private static final float SCALE = 0.25f;

    private record OfRank(double loss, TinyModel model) {}

    private record Found(double loss, Map<String, Tensor> gradients) {}

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldDifferentiateTheWholeModel(boolean tied) {
        var config = new ModelConfig("llama", 2, 8, 2, 12, 8, 13, 1e-5f, tied, 0.3, 1, 100);
        TinyModel model = new TinyModel(new ReferenceBackend(), config, new MicroBatchShape(2, 5), F64, 3);
        Tensor tokens = TestTensors.randomInts(1, 0, 13, 2, 5);
        Tensor targets = TestTensors.randomInts(2, 0, 13, 2, 5);
        model.accumulate(tokens, targets, 0.5f);
        model.sumTied();
        GradientCheck check = GradientCheck.of("model", () -> 0.5 * model.loss(tokens, targets));
        model.states().forEach((name, s) -> check.gradient(name, s.master(), s.gradient()));
        check.check(1e-7);
    }

    @ParameterizedTest
    @CsvSource({"2,true", "4,false", "4,true"})
    void shouldBeTheWholeModelOverAGroup(int size, boolean sequenceParallel) {
        // F64: the order of sums differs. F32 and BF16: both sides round, in other places.
        assertNear(ReferenceBackend::new, F64, size, sequenceParallel, 1e-11, 1e-11);
        assertNear(() -> new CpuBackend(1), F32, size, sequenceParallel, 1e-4, 1e-5);
        assertNear(() -> new CpuBackend(1), BF16, size, sequenceParallel, 0.3, 0.06);
    }

    private static void assertNear(
            Supplier<Backend> backends,
            DType compute,
            int size,
            boolean sequenceParallel,
            double loss,
            double gradient) {
        Found whole = run(backends, compute, 1, false, true);
        Found split = run(backends, compute, size, sequenceParallel, true);
        assertEquals(whole.loss, split.loss, loss, compute.toString());
        assertEquals(whole.gradients.keySet(), split.gradients.keySet());
        whole.gradients.forEach((name, expected) -> TestTensors.assertClose(
                compute + ": gradient of " + name,
                Objects.requireNonNull(split.gradients.get(name)),
                expected,
                0,
                gradient * TestTensors.maxAbs(expected)));
        // weight gradients that come later see what the fused ones saw
        Found later = run(backends, compute, size, sequenceParallel, false);
        split.gradients.forEach((name, expected) -> assertArrayEquals(
                TestTensors.values(expected),
                TestTensors.values(Objects.requireNonNull(later.gradients.get(name))),
                name));
    }

    private static Found run(
            Supplier<Backend> backends, DType compute, int size, boolean sequenceParallel, boolean fused) {
        Tensor tokens = TestTensors.randomInts(1, 0, CONFIG.vocabSize(), 2, 7);
        Tensor targets = TestTensors.randomInts(2, 0, CONFIG.vocabSize(), 2, 7);
        targets.set(3, -1); // not counted
        List<OfRank> ranks = ThreadTensorGroup.run(size, group -> {
            try (Backend backend = backends.get()) {
                var split = new TensorSplit(size, group.index(), sequenceParallel);
                TinyModel model = new TinyModel(backend, CONFIG, MICRO_BATCH, compute, 3, split, group);
                double loss = fused
                        ? model.accumulate(tokens, targets, SCALE)
                        : model.accumulateSplit(tokens, targets, SCALE);
                model.sumTied();
                return new OfRank(loss, model);
            }
        });
        ranks.forEach(
                rank -> assertEquals(ranks.getFirst().loss, rank.loss, "every rank has the same bits of the loss"));
        return new Found(ranks.getFirst().loss, gradients(ranks));
    }

    /** Whole gradients; those that every rank has must be the same on all. */
    private static Map<String, Tensor> gradients(List<OfRank> ranks) {
        Map<String, Tensor> gradients = new LinkedHashMap<>();
        for (OfRank rank : ranks) {
            rank.model.states().forEach((name, state) -> {
                Tensor known = gradients.get(name);
                long[] dims = LayerMemory.dims(state.spec().wholeShape());
                Tensor whole =
                        known == null ? TestTensors.zeros(state.gradient().dtype(), dims) : known;
                if (known != null && state.spec().distribution() instanceof Distribution.Replicated) {
                    assertArrayEquals(TestTensors.values(known), TestTensors.values(state.gradient()), name);
                }
                state.spec().distribution().copyToWhole(whole, state.gradient());
                gradients.put(name, whole);
            });
        }
        return gradients;
    }

    @Test
    void shouldLearnAndAllocateNothingInAStep() {
        var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        Tensor tokens = TestTensors.randomInts(1, 0, CONFIG.vocabSize(), 2, 7);
        Tensor targets = TestTensors.randomInts(2, 0, CONFIG.vocabSize(), 2, 7);
        TinyModel idle = new TinyModel(new IdleBackend(), CONFIG, MICRO_BATCH, BF16, 1);
        idle.accumulate(tokens, targets, 1); // builds the views
        long least = Long.MAX_VALUE;
        for (int i = 0; i < 100; i++) {
            long before = threads.getCurrentThreadAllocatedBytes();
            idle.accumulate(tokens, targets, 1);
            least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
        }
        assertEquals(0, least);
        try (Backend cpu = new CpuBackend(1)) {
            TinyModel model = new TinyModel(cpu, CONFIG, MICRO_BATCH, BF16, 1);
            double first = model.accumulate(tokens, targets, 1f / 14) / 14;
            model.update(1, 1e-2f);
            for (int step = 2; step <= 30; step++) {
                model.accumulate(tokens, targets, 1f / 14);
                model.update(step, 1e-2f);
            }
            double last = model.loss(tokens, targets) / 14;
            assertTrue(last < first / 4, first + " to " + last);
        }
    }

    @Test
    void shouldHaveTheParametersOfLlama2() {
        var config = new ModelConfig("llama", 32, 4096, 32, 11008, 4096, 32000, 1e-5f, false, 0.02);
        assertEquals(6_738_415_616L, new LlamaFamily().spec(config).parameterCount());
        var eight = new ModelConfig("llama", 32, 4096, 32, 14336, 8192, 128256, 1e-5f, false, 0.02, 8, 500_000);
        assertEquals(8_030_261_248L, new LlamaFamily().spec(eight).parameterCount());
    }

    @Test
    void shouldRefuseWhatItCannotBe() {
        var family = new LlamaFamily();
        assertMessage("num_key_value_heads=4 % tensor=3", () -> family.spec(CONFIG, new TensorSplit(3, 0, false)));
        var odd = new ModelConfig("llama", 1, 9, 3, 8, 8, 8, 1e-5f, true, 0.02);
        assertMessage("= 3, rotary embedding needs an even number", () -> family.spec(odd));
        var gpt2 = new ModelConfig("gpt2", 1, 8, 2, 8, 8, 8, 1e-5f, true, 0.02);
        assertMessage("architecture 'gpt2'", () -> family.spec(gpt2));
        assertMessage(
                "num_attention_heads=8 % num_key_value_heads=3",
                () -> new ModelConfig("llama", 1, 32, 8, 8, 8, 8, 1e-5f, true, 0.02, 3, 1e4));
    }

    private static void assertMessage(String expected, Supplier<?> call) {
        var error = assertThrows(IllegalArgumentException.class, call::get);
        assertTrue(String.valueOf(error.getMessage()).contains(expected), error.getMessage());
    }
}
