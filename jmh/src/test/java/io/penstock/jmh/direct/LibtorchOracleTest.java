package io.penstock.jmh.direct;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.penstock.jmh.peer.Libtorch;
import io.penstock.jmh.peer.LibtorchGpt2;
import io.penstock.jmh.peer.LibtorchLlama;
import io.penstock.jmh.peer.LibtorchModel;
import io.penstock.models.MicroBatchShape;
import io.penstock.models.ModelConfig;
import io.penstock.models.ModelFamily;
import io.penstock.models.gpt2.Gpt2Family;
import io.penstock.models.llama.LlamaFamily;
import io.penstock.tensor.Backend;
import io.penstock.tensor.DType;
import io.penstock.tensor.cpu.CpuBackend;
import io.penstock.tensor.reference.ReferenceBackend;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Supplier;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The whole of GPT-2 and of Llama, Penstock's layers on each backend beside libtorch in F32 from the same parameters: logits, loss, every gradient, ten AdamW steps with clipping. */
final class LibtorchOracleTest {
    /** Sizes that divide nothing. */
    private static final Shape AWKWARD =
            new Shape(new ModelConfig("gpt2", 3, 39, 3, 52, 17, 101, 1e-5f, true, 0.02), new MicroBatchShape(3, 13));
    /** GPT-2 124M's head size. */
    private static final Shape HEAD_SIZE_64 =
            new Shape(new ModelConfig("gpt2", 2, 128, 2, 512, 64, 207, 1e-5f, true, 0.02), new MicroBatchShape(2, 20));

    private static final Shape UNTIED =
            new Shape(new ModelConfig("gpt2", 1, 24, 2, 96, 8, 67, 1e-5f, false, 0.02), new MicroBatchShape(1, 8));

    /** Three query heads on each head of keys and values, 14 wide. */
    private static final Shape LLAMA = new Shape(
            new ModelConfig("llama", 3, 84, 6, 52, 17, 101, 1e-5f, false, 0.02, 2, 10_000), new MicroBatchShape(3, 13));

    private static final Shape TIED_LLAMA = new Shape(
            new ModelConfig("llama", 2, 128, 2, 344, 64, 207, 1e-6f, true, 0.02, 1, 500_000),
            new MicroBatchShape(2, 20));

    private static final double LEARNING_RATE = 3e-4;
    private static final double BETA1 = 0.9;
    private static final double BETA2 = 0.95;
    /** The keys' bias has no gradient but rounding noise; an epsilon above that noise keeps Adam from dividing it by itself. */
    private static final double EPSILON = 1e-4;

    private static final double WEIGHT_DECAY = 0.1;
    private static final double CLIPPING = 0.25;
    private static final int STEPS = 10;

    record Shape(ModelConfig config, MicroBatchShape microBatch) {}

    /**
     * Relative to the largest value of a tensor. F64 and F32: the peer's rounding, 6e-8, through about 20 chained operations a layer, sums of up to 512 products among
     * them. BF16: 2^-9 for each of about 10 rounded tensors a layer, adding up like a random walk, with room for the worst of thousands of elements. {@code movement}
     * is of Euclidean norms: Adam divides noise and gradient alike, so an element of small gradient moves by its noise.
     */
    record Tolerance(double value, double gradient, double movement) {}

    private static final Tolerance SINGLE = new Tolerance(5e-6, 2e-5, 2e-5);
    private static final Tolerance HALF = new Tolerance(0.03, 0.06, 0.1);

    record Case(String name, Shape shape, DType compute, Tolerance tolerance, Supplier<Backend> backend) {
        @Override
        public String toString() {
            return shape.config().architecture() + " " + name + " " + compute + " "
                    + shape.config().hiddenSize();
        }
    }

    static List<Case> cases() {
        List<Case> cases = new ArrayList<>();
        for (Shape shape : List.of(AWKWARD, HEAD_SIZE_64, UNTIED, LLAMA, TIED_LLAMA)) {
            if (!shape.equals(TIED_LLAMA)) { // slow, and no layer is new
                cases.add(new Case("reference", shape, DType.F64, SINGLE, ReferenceBackend::new));
                cases.add(new Case("reference", shape, DType.BF16, HALF, ReferenceBackend::new));
            }
            cases.add(new Case("cpu", shape, DType.F32, SINGLE, () -> new CpuBackend(2)));
            cases.add(new Case("cpu", shape, DType.BF16, HALF, () -> new CpuBackend(2)));
        }
        return cases;
    }

    @BeforeAll
    static void useOneThread() {
        Libtorch.threads(1); // its pool spins, and builds share machines
    }

    @ParameterizedTest
    @MethodSource("cases")
    void shouldAgreeOnLogitsLossAndEveryGradient(Case test) {
        try (var pair = new Pair(test)) {
            float[] expected = pair.oracle.logits(pair.tokens, pair.batch(), pair.sequence());
            assertClose("logits", expected, pair.model.logits(pair.tokens), test.tolerance.value);
            double loss = pair.oracle.backward(pair.tokens, pair.targets, pair.batch(), pair.sequence());
            assertEquals(loss, pair.model.backward(pair.tokens, pair.targets), test.tolerance.value * loss);
            assertEquals(pair.oracle.names().size(), pair.model.names().size());
            for (String name : pair.oracle.names()) {
                assertClose(
                        "gradient of " + name,
                        pair.oracle.gradient(name),
                        pair.model.gradient(name),
                        test.tolerance.gradient);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void shouldAgreeOverTenStepsOfClippedAdamW(Case test) {
        try (var pair = new Pair(test)) {
            pair.oracle.optimizer(new LibtorchModel.AdamWSettings(LEARNING_RATE, BETA1, BETA2, EPSILON, WEIGHT_DECAY));
            double first = 0;
            double loss = 0;
            for (int step = 0; step < STEPS; step++) {
                loss = pair.oracle.backward(pair.tokens, pair.targets, pair.batch(), pair.sequence());
                first = step == 0 ? loss : first;
                double own = pair.model.backward(pair.tokens, pair.targets);
                assertEquals(loss, own, test.tolerance.value * first, "loss of step " + step);
                double norm = pair.oracle.clip(CLIPPING);
                assertTrue(norm > CLIPPING, "clipping is not tried at norm " + norm);
                assertEquals(norm, pair.model.clip(CLIPPING), test.tolerance.gradient * norm, "norm of step " + step);
                pair.oracle.step();
                pair.oracle.zeroGradients();
                pair.model.step(LEARNING_RATE, BETA1, BETA2, EPSILON, WEIGHT_DECAY);
            }
            assertTrue(loss < first, "nothing learned: " + first + " to " + loss);
            for (String name : pair.oracle.names()) {
                assertMovedAlike(pair, name, test.tolerance.movement);
            }
        }
    }

    /** By Euclidean norms: to the tolerance of what ten steps moved the parameter, and the rounding of F32 weights at each step. */
    private static void assertMovedAlike(Pair pair, String name, double tolerance) {
        float[] expected = pair.oracle.get(name);
        double moved = distance(expected, pair.start(name));
        double difference = distance(expected, pair.model.get(name));
        double bound = tolerance * moved + STEPS * 0x1p-24 * distance(expected, new float[expected.length]);
        assertTrue(moved > LEARNING_RATE, name + " moved by only " + moved);
        assertTrue(
                difference <= bound,
                name + " after " + STEPS + " steps: off by " + difference + " > " + bound + ", moved by " + moved);
    }

    private static double distance(float[] x, float[] y) {
        double squares = 0;
        for (int i = 0; i < x.length; i++) {
            squares += ((double) x[i] - y[i]) * ((double) x[i] - y[i]);
        }
        return Math.sqrt(squares);
    }

    /** Two models of the same parameters. */
    private static final class Pair implements AutoCloseable {
        final Shape shape;
        final LibtorchModel oracle;
        final DirectGpt2 model;
        final int[] tokens;
        final int[] targets;

        Pair(Case test) {
            shape = test.shape;
            boolean llama = shape.config.architecture().equals(LlamaFamily.ARCHITECTURE);
            oracle = llama
                    ? new LibtorchLlama(shape.config, DType.F32, 1)
                    : new LibtorchGpt2(shape.config, DType.F32, 1);
            ModelFamily family = llama ? new LlamaFamily() : new Gpt2Family();
            model = new DirectGpt2(test.backend.get(), family.spec(shape.config), shape.microBatch, test.compute);
            for (String name : oracle.names()) {
                oracle.set(name, start(name));
                model.set(name, start(name));
            }
            tokens = ids(1);
            targets = ids(2);
        }

        int batch() {
            return shape.microBatch.batch();
        }

        int sequence() {
            return shape.microBatch.sequence();
        }

        private int[] ids(long seed) {
            return new SplittableRandom(seed)
                    .ints(shape.microBatch.rows(), 0, shape.config.vocabSize())
                    .toArray();
        }

        /** Wider than GPT-2 starts, so that attention is far from uniform, and biases are not 0; exact in BF16. */
        float[] start(String name) {
            int size = 1;
            for (long dim : oracle.shape(name)) {
                size *= Math.toIntExact(dim);
            }
            var random = new SplittableRandom(name.hashCode());
            float centre = oracle.shape(name).length == 1 && name.endsWith("weight") ? 1 : 0;
            float[] values = new float[size];
            for (int i = 0; i < size; i++) {
                values[i] = DType.fromBf16(DType.toBf16(centre + (float) random.nextGaussian(0, 0.1)));
            }
            return values;
        }

        @Override
        public void close() {
            oracle.close();
            model.close();
        }
    }

    private static void assertClose(String name, float[] expected, float[] actual, double tolerance) {
        assertEquals(expected.length, actual.length, name);
        double largest = 0;
        int worst = 0;
        for (int i = 0; i < expected.length; i++) {
            largest = Math.max(largest, Math.abs(expected[i]));
            worst = Math.abs(expected[i] - actual[i]) > Math.abs(expected[worst] - actual[worst]) ? i : worst;
            assertTrue(Float.isFinite(actual[i]), name + " at index " + i + " is " + actual[i]);
        }
        double difference = Math.abs(expected[worst] - actual[worst]);
        assertTrue(largest > 0, name + " is 0 everywhere");
        assertTrue(
                difference <= tolerance * largest,
                name + ": off by " + difference + " at index " + worst + ", of " + largest + " at most; first expected "
                        + Arrays.toString(Arrays.copyOf(expected, Math.min(5, expected.length))) + ", first actual "
                        + Arrays.toString(Arrays.copyOf(actual, Math.min(5, actual.length))));
    }
}
