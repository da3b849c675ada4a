package io.penstock.jmh.peer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.penstock.models.ModelConfig;
import io.penstock.tensor.DType;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.bytedeco.javacpp.Pointer;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The oracle itself, held to facts that need no other implementation. */
final class LibtorchGpt2Test {
    private static final ModelConfig CONFIG = new ModelConfig("gpt2", 2, 24, 3, 40, 16, 67, 1e-5f, true, 0.02);
    private static final int BATCH = 2;
    private static final int SEQUENCE = 13;
    private static final int[] TOKENS = ids(1);
    private static final int[] TARGETS = ids(2);

    @BeforeAll
    static void useOneThread() {
        Libtorch.threads(1); // its pool spins, and builds share machines
    }

    private static int[] ids(long seed) {
        return new SplittableRandom(seed)
                .ints(BATCH * SEQUENCE, 0, CONFIG.vocabSize())
                .toArray();
    }

    @Test
    void shouldHaveTheParametersOfHuggingFace() {
        try (var model = new LibtorchGpt2(CONFIG, DType.F32, 1)) {
            assertEquals(2 + 2 * 12 + 2, model.names().size());
            assertArrayEquals(new long[] {24, 72}, model.shape("transformer.h.1.attn.c_attn.weight"));
            assertArrayEquals(new long[] {40, 24}, model.shape("transformer.h.0.mlp.c_proj.weight"));
        }
    }

    @Test
    void shouldStartAtTheEntropyOfAUniformGuess() {
        for (DType dtype : List.of(DType.F32, DType.BF16)) {
            try (var model = new LibtorchGpt2(CONFIG, dtype, 1)) {
                double loss = model.backward(TOKENS, TARGETS, BATCH, SEQUENCE);
                assertEquals(Math.log(CONFIG.vocabSize()), loss, 0.1, dtype.toString());
            }
        }
    }

    @Test
    void shouldNotLookAhead() {
        try (var model = new LibtorchGpt2(CONFIG, DType.F32, 1)) {
            int[] changed = TOKENS.clone();
            changed[7] = (changed[7] + 1) % CONFIG.vocabSize();
            float[] before = model.logits(TOKENS, BATCH, SEQUENCE);
            float[] after = model.logits(changed, BATCH, SEQUENCE);
            int v = CONFIG.vocabSize();
            assertArrayEquals(Arrays.copyOf(before, 7 * v), Arrays.copyOf(after, 7 * v));
            assertNotEquals(before[7 * v], after[7 * v]);
            assertNotEquals(before[12 * v], after[12 * v]);
            assertEquals(before[13 * v], after[13 * v], "the second sequence");
        }
    }

    @Test
    void shouldDifferentiateItsLoss() {
        String name = "transformer.h.0.attn.c_attn.weight";
        try (var model = new LibtorchGpt2(CONFIG, DType.F32, 1)) {
            float[] values = model.get(name);
            model.backward(TOKENS, TARGETS, BATCH, SEQUENCE);
            float[] gradient = model.gradient(name);
            double squares = 0;
            for (float g : gradient) {
                squares += (double) g * g;
            }
            // a step along the gradient changes the loss by its length times the gradient's
            double length = 0.02;
            double norm = Math.sqrt(squares);
            double difference = lossAt(model, name, values, gradient, length / norm)
                    - lossAt(model, name, values, gradient, -length / norm);
            assertEquals(2 * length * norm, difference, 0.02 * 2 * length * norm);
        }
    }

    private static double lossAt(LibtorchGpt2 model, String name, float[] values, float[] gradient, double factor) {
        float[] moved = values.clone();
        for (int i = 0; i < moved.length; i++) {
            moved[i] += (float) (factor * gradient[i]);
        }
        model.set(name, moved);
        return model.backward(TOKENS, TARGETS, BATCH, SEQUENCE);
    }

    @Test
    void shouldClipToTheGlobalNormAndMoveByTheLearningRate() {
        var settings = new LibtorchModel.AdamWSettings(1e-3, 0.9, 0.95, 1e-12, 0);
        try (var model = new LibtorchGpt2(CONFIG, DType.F32, 1)) {
            model.optimizer(settings);
            model.backward(TOKENS, TARGETS, BATCH, SEQUENCE);
            double norm = globalNorm(model);
            assertEquals(norm, model.clip(norm / 2), 1e-5 * norm);
            assertEquals(norm / 2, globalNorm(model), 1e-4 * norm);
            String name = "transformer.h.1.mlp.c_fc.weight";
            float[] before = model.get(name);
            float[] gradient = model.gradient(name);
            model.step();
            float[] after = model.get(name);
            for (int i = 0; i < before.length; i++) {
                // the first step of Adam is the learning rate against the gradient's sign; F32 of a weight below 0.1
                assertEquals(-1e-3 * Math.signum(gradient[i]), after[i] - before[i], 2e-6);
            }
            model.zeroGradients();
            model.backward(TOKENS, TARGETS, BATCH, SEQUENCE);
            assertTrue(globalNorm(model) > norm / 2 * 1.05, "gradients do not add to those before");
        }
    }

    private static double globalNorm(LibtorchGpt2 model) {
        double squares = 0;
        for (String name : model.names()) {
            for (float g : model.gradient(name)) {
                squares += (double) g * g;
            }
        }
        return Math.sqrt(squares);
    }

    @Test
    void shouldReleaseNativeMemoryOfItsSteps() {
        // one step's logits and their gradients take 4 MB each; were they left to the garbage collector, 20 steps would
        // pass the bound
        var wide = new ModelConfig("gpt2", 1, 16, 2, 16, 128, 8000, 1e-5f, true, 0.02);
        int[] tokens = new SplittableRandom(3).ints(128, 0, 8000).toArray();
        try (var model = new LibtorchGpt2(wide, DType.F32, 1)) {
            model.optimizer(new LibtorchModel.AdamWSettings(1e-3, 0.9, 0.95, 1e-8, 0.1));
            long before = 0;
            for (int step = 0; step < 25; step++) {
                if (step == 5) {
                    before = Pointer.physicalBytes();
                }
                model.zeroGradients();
                model.backward(tokens, tokens, 1, 128);
                model.clip(1);
                model.step();
            }
            long grown = Pointer.physicalBytes() - before;
            assertTrue(grown < 32 << 20, "grew by " + grown + " bytes in 20 steps");
        }
    }
}
