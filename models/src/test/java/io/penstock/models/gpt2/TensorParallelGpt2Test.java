package io.penstock.models.gpt2;

import static io.penstock.tensor.DType.BF16;
import static io.penstock.tensor.DType.F32;
import static io.penstock.tensor.DType.F64;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.penstock.models.BlockSpec;
import io.penstock.models.LayerMemory;
import io.penstock.models.MicroBatchShape;
import io.penstock.models.ModelConfig;
import io.penstock.models.ModelSpec;
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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A group of ranks against the whole model: losses and the gradients of all parameters, put together from their parts. */
final class TensorParallelGpt2Test {
    /** 4 heads; nothing else is a multiple of 4: 14 tokens, 50 feed-forward columns, 37 tokens of vocabulary. */
    private static final ModelConfig CONFIG = new ModelConfig("gpt2", 2, 24, 4, 50, 8, 37, 1e-5f, true, 0.3);

    private static final MicroBatchShape MICRO_BATCH = new MicroBatchShape(2, 7);
    private static final float SCALE = 0.25f;
    private static final Supplier<Backend> REFERENCE = ReferenceBackend::new;

    /** What a run found: the loss of each rank, and whole gradients. */
    private record Found(List<Double> losses, Map<String, Tensor> gradients) {}

    private record OfRank(double loss, TinyModel model) {}

    private static Backend cpu() {
        return new CpuBackend(1);
    }

    private static Tensor tokens() {
        return TestTensors.randomInts(1, 0, CONFIG.vocabSize(), MICRO_BATCH.batch(), MICRO_BATCH.sequence());
    }

    private static Tensor targets() {
        Tensor targets = TestTensors.randomInts(2, 0, CONFIG.vocabSize(), MICRO_BATCH.batch(), MICRO_BATCH.sequence());
        targets.set(3, -1); // not counted
        return targets;
    }

    private static Found run(
            Supplier<Backend> backends, DType compute, int size, boolean sequenceParallel, boolean fused) {
        List<OfRank> ranks = ThreadTensorGroup.run(size, group -> {
            try (Backend backend = backends.get()) {
                var split = new TensorSplit(size, group.index(), sequenceParallel);
                TinyModel model = new TinyModel(backend, CONFIG, MICRO_BATCH, compute, 3, split, group);
                double loss = fused
                        ? model.accumulate(tokens(), targets(), SCALE)
                        : model.accumulateSplit(tokens(), targets(), SCALE);
                model.sumTied();
                return new OfRank(loss, model);
            }
        });
        return new Found(
                ranks.stream().map(OfRank::loss).toList(),
                gradients(ranks.stream().map(OfRank::model).toList()));
    }

    /** Whole gradients; those that every rank has must be the same on all. */
    private static Map<String, Tensor> gradients(List<TinyModel> ranks) {
        Map<String, Tensor> gradients = new LinkedHashMap<>();
        for (TinyModel rank : ranks) {
            rank.states().forEach((name, state) -> {
                Tensor known = gradients.get(name);
                Tensor whole = known == null
                        ? TestTensors.zeros(
                                state.gradient().dtype(),
                                LayerMemory.dims(state.spec().wholeShape()))
                        : known;
                if (known != null && state.spec().distribution() instanceof Distribution.Replicated) {
                    assertArrayEquals(TestTensors.values(known), TestTensors.values(state.gradient()), name);
                }
                state.spec().distribution().copyToWhole(whole, state.gradient());
                gradients.put(name, whole);
            });
        }
        return gradients;
    }

    private static void assertNear(String what, Found actual, Found expected, double loss, double gradient) {
        for (double of : actual.losses()) {
            assertEquals(actual.losses().getFirst(), of, what + ": every rank has the same bits of the loss");
        }
        assertEquals(expected.losses().getFirst(), actual.losses().getFirst(), loss, what);
        assertEquals(expected.gradients().keySet(), actual.gradients().keySet());
        expected.gradients()
                .forEach((name, whole) -> TestTensors.assertClose(
                        what + ": gradient of " + name,
                        Objects.requireNonNull(actual.gradients().get(name)),
                        whole,
                        0,
                        gradient * TestTensors.maxAbs(whole)));
    }

    @ParameterizedTest
    @CsvSource({"2,false", "2,true", "4,false", "4,true"})
    void shouldBeTheWholeModelInDouble(int size, boolean sequenceParallel) {
        Found whole = run(REFERENCE, F64, 1, false, true);
        Found split = run(REFERENCE, F64, size, sequenceParallel, true);
        // the order of sums differs: some hundred roundings of 2^-53; scale and onehot go through float
        assertNear("F64", split, whole, 1e-11, 1e-11);
    }

    /** The bound is that of a block against double in Gpt2BlockTest: both sides round, in other places. */
    @ParameterizedTest
    @CsvSource({"2,false", "2,true", "4,false", "4,true"})
    void shouldBeNearTheWholeModelInF32AndBf16(int size, boolean sequenceParallel) {
        for (Supplier<Backend> backends : List.of(REFERENCE, TensorParallelGpt2Test::cpu)) {
            Found whole = run(backends, F32, 1, false, true);
            assertNear("F32", run(backends, F32, size, sequenceParallel, true), whole, 1e-4, 1e-5);
            Found rounded = run(backends, BF16, 1, false, true);
            assertNear("BF16", run(backends, BF16, size, sequenceParallel, true), rounded, 0.3, 0.06);
        }
    }

    @ParameterizedTest
    @CsvSource({"2,false", "2,true", "4,false", "4,true"})
    void shouldBeEqualToItselfFromRunToRun(int size, boolean sequenceParallel) {
        for (DType compute : List.of(F32, BF16)) {
            Found once = run(TensorParallelGpt2Test::cpu, compute, size, sequenceParallel, true);
            assertSameBits(once, run(TensorParallelGpt2Test::cpu, compute, size, sequenceParallel, true));
            // weight gradients that come later see what the fused ones saw
            assertSameBits(once, run(TensorParallelGpt2Test::cpu, compute, size, sequenceParallel, false));
        }
    }

    private static void assertSameBits(Found one, Found other) {
        assertEquals(one.losses(), other.losses());
        one.gradients()
                .forEach((name, gradient) -> assertArrayEquals(
                        TestTensors.values(gradient),
                        TestTensors.values(
                                Objects.requireNonNull(other.gradients().get(name))),
                        name));
    }

    @ParameterizedTest
    @CsvSource({"2,false,true", "2,true,true", "3,true,false"})
    void shouldDifferentiateTheWholeModel(int size, boolean sequenceParallel, boolean tied) {
        var config = new ModelConfig("gpt2", 1, 12, size, 7, 8, 13, 1e-5f, tied, 0.3);
        var microBatch = new MicroBatchShape(1, 5);
        Tensor tokens = TestTensors.randomInts(1, 0, 13, 1, 5);
        Tensor targets = TestTensors.randomInts(2, 0, 13, 1, 5);
        Map<String, Tensor> values = new LinkedHashMap<>();
        List<TinyModel> ranks = ranks(config, microBatch, size, sequenceParallel, values, model -> {
            model.accumulate(tokens, targets, 0.5f);
            model.sumTied();
        });
        TinyModel whole = new TinyModel(new ReferenceBackend(), config, microBatch, F64, 3);
        whole.states().forEach((name, state) -> values.put(name, state.master()));
        double[] loss = {0};
        GradientCheck check = GradientCheck.of("split model", () -> {
            ranks(config, microBatch, size, sequenceParallel, values, model -> {
                double own = model.loss(tokens, targets);
                synchronized (loss) {
                    loss[0] = own;
                }
            });
            return 0.5 * loss[0];
        });
        gradients(ranks)
                .forEach((name, gradient) -> check.gradient(name, Objects.requireNonNull(values.get(name)), gradient));
        check.check(1e-7);
    }

    /** Ranks with their parts of {@code values} (of the seed where there are none), after what {@code use} did with each. */
    private static List<TinyModel> ranks(
            ModelConfig config,
            MicroBatchShape microBatch,
            int size,
            boolean sequenceParallel,
            Map<String, Tensor> values,
            Consumer<TinyModel> use) {
        return ThreadTensorGroup.run(size, group -> {
            var split = new TensorSplit(size, group.index(), sequenceParallel);
            TinyModel model = new TinyModel(new ReferenceBackend(), config, microBatch, F64, 3, split, group);
            model.states().forEach((name, state) -> {
                Tensor whole = values.get(name);
                if (whole != null) {
                    state.spec().distribution().copyFromWhole(state.master(), whole);
                }
            });
            use.accept(model);
            return model;
        });
    }

    @Test
    void shouldHoldAPartOfEverythingThatGrowsWithTheModel() {
        var config = new ModelConfig("gpt2", 1, 64, 4, 256, 32, 256, 1e-5f, true, 0.02);
        var microBatch = new MicroBatchShape(2, 32);
        ModelSpec whole = new Gpt2Family().spec(config);
        ModelSpec part = new Gpt2Family().spec(config, new TensorSplit(4, 2, true));
        BlockSpec wholeBlock = whole.blocks().getFirst();
        BlockSpec partBlock = part.blocks().getFirst();
        assertEquals(
                wholeBlock.saved(microBatch, BF16).totalBytes(),
                4 * partBlock.saved(microBatch, BF16).totalBytes());
        assertEquals(
                wholeBlock.stash(microBatch, BF16).totalBytes(),
                4 * partBlock.stash(microBatch, BF16).totalBytes());
        assertEquals(
                whole.hidden(microBatch).elements(), 4 * part.hidden(microBatch).elements());
        assertEquals(whole.parameterCount(), part.parameterCount());
        // a quarter of the matrices' 12 C^2; norms and the biases of row-split matrices are whole
        assertEquals(12 * 64 * 64 / 4 + 7 * 64 / 4 + 6 * 64, partBlock.parameterCount());
        assertEquals(0, wholeBlock.scratch(microBatch, BF16).totalBytes());
        assertTrue(partBlock.scratch(microBatch, BF16).totalBytes() > 0);
    }

    @Test
    void shouldRefuseWhatCannotBeSplit() {
        var error = assertThrows(
                IllegalArgumentException.class, () -> new Gpt2Family().spec(CONFIG, new TensorSplit(3, 0, false)));
        assertEquals("num_attention_heads=4 % tensor=3 = 1, expected 0", error.getMessage());
        var few = new ModelConfig("gpt2", 1, 8, 4, 3, 8, 37, 1e-5f, true, 0.02);
        var tooFew = assertThrows(
                IllegalArgumentException.class, () -> new Gpt2Family().spec(few, new TensorSplit(4, 0, false)));
        assertEquals("intermediate_size=3 < tensor=4", tooFew.getMessage());
    }
}
