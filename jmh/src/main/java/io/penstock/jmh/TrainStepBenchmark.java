package io.penstock.jmh;

import io.penstock.jmh.direct.DirectGpt2;
import io.penstock.jmh.peer.Libtorch;
import io.penstock.jmh.peer.LibtorchGpt2;
import io.penstock.jmh.peer.LibtorchModel;
import io.penstock.jmh.peer.StepProducts;
import io.penstock.models.MicroBatchShape;
import io.penstock.models.ModelConfig;
import io.penstock.models.Presets;
import io.penstock.tensor.DType;
import io.penstock.tensor.cpu.CpuBackend;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * How many tokens a second does GPT-2 124M train at: forward, backward, clipping and AdamW on random tokens? libtorch keeps everything in the named dtype; Penstock computes
 * in it with F32 masters and gradients. {@code rate} is in tokens a second.
 */
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Fork(value = 1, jvmArgsAppend = "-Xmx1g")
@Warmup(iterations = 1, time = 1)
@Measurement(iterations = 2, time = 1)
public class TrainStepBenchmark {
    private static final ModelConfig GPT2_124M = Presets.find("gpt2-124m").orElseThrow();
    private static final int BATCH = 4;
    private static final double LEARNING_RATE = 3e-4;
    private static final double BETA1 = 0.9;
    private static final double BETA2 = 0.95;
    private static final double EPSILON = 1e-8;
    private static final double WEIGHT_DECAY = 0.1;
    private static final double CLIPPING = 1;

    /** dtype and tokens a sequence, four sequences a step. */
    @State(Scope.Benchmark)
    public static class Step {
        @Param({"F32:256", "BF16:256", "BF16:1024"})
        public String step = "";

        @Param("2")
        public int threads;

        private int[] tokens = {};
        private int[] targets = {};

        @Setup
        public void setup() {
            tokens = ids(1);
            targets = ids(2);
        }

        private int[] ids(long seed) {
            return new SplittableRandom(seed)
                    .ints((long) BATCH * sequence(), 0, GPT2_124M.vocabSize())
                    .toArray();
        }

        DType dtype() {
            return DType.valueOf(step.substring(0, step.indexOf(':')));
        }

        int sequence() {
            return Integer.parseInt(step.substring(step.indexOf(':') + 1));
        }

        /** The first loss is that of a uniform guess; later ones must not be worse. */
        double checked(double loss) {
            if (!(loss < Math.log(GPT2_124M.vocabSize()) + 0.3)) {
                throw new IllegalStateException("loss " + loss + " of " + step);
            }
            return loss;
        }
    }

    /** Tokens trained on: JMH prints them a second. */
    @AuxCounters(AuxCounters.Type.OPERATIONS)
    @State(Scope.Thread)
    public static class Rate {
        public double rate;
    }

    /** Penstock's layers on the CPU backend. */
    @State(Scope.Benchmark)
    public static class Own {
        private DirectGpt2 model;

        @Setup
        public void setup(Step step) {
            var microBatch = new MicroBatchShape(BATCH, step.sequence());
            model = new DirectGpt2(new CpuBackend(step.threads), GPT2_124M, microBatch, step.dtype());
            model.initialize(1);
        }

        @TearDown
        public void tearDown() {
            model.close();
        }
    }

    /** The peer. */
    @State(Scope.Benchmark)
    public static class Peer {
        private LibtorchGpt2 model;

        @Setup
        public void setup(Step step) {
            Libtorch.threads(step.threads);
            model = new LibtorchGpt2(GPT2_124M, step.dtype(), 1);
            model.optimizer(new LibtorchModel.AdamWSettings(LEARNING_RATE, BETA1, BETA2, EPSILON, WEIGHT_DECAY));
        }

        @TearDown
        public void tearDown() {
            model.close();
        }
    }

    /** The step's matrix products alone. */
    @State(Scope.Benchmark)
    public static class Products {
        private StepProducts products;

        @Setup
        public void setup(Step step) {
            Libtorch.threads(step.threads);
            products = new StepProducts(GPT2_124M, step.dtype(), BATCH, step.sequence());
        }

        @TearDown
        public void tearDown() {
            products.close();
        }
    }

    @Benchmark
    public double penstock(Own own, Step step, Rate rate) {
        double loss = own.model.backward(step.tokens, step.targets);
        own.model.clip(CLIPPING);
        own.model.step(LEARNING_RATE, BETA1, BETA2, EPSILON, WEIGHT_DECAY);
        rate.rate += step.tokens.length;
        return step.checked(loss);
    }

    @Benchmark
    public double baseline(Peer peer, Step step, Rate rate) {
        double loss = peer.model.backward(step.tokens, step.targets, BATCH, step.sequence());
        peer.model.clip(CLIPPING);
        peer.model.step();
        peer.model.zeroGradients();
        rate.rate += step.tokens.length;
        return step.checked(loss);
    }

    /** Tokens a second if a step were its products, at the rate that oneDNN alone has on their shapes: penstock's share of it is the efficiency of the step. */
    @Benchmark
    public void floor(Products products, Step step, Rate rate) {
        products.products.run();
        rate.rate += step.tokens.length;
    }
}
