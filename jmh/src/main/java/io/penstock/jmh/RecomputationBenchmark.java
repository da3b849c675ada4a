package io.penstock.jmh;

import io.penstock.engine.execution.BatchSource;
import io.penstock.engine.offload.ShardStore;
import io.penstock.engine.optimizer.AdamW;
import io.penstock.engine.optimizer.LearningRateSchedule;
import io.penstock.engine.training.Hyperparameters;
import io.penstock.engine.training.PipelineRank;
import io.penstock.models.MicroBatchShape;
import io.penstock.models.ModelSpec;
import io.penstock.models.Presets;
import io.penstock.models.Recomputation;
import io.penstock.models.gpt2.Gpt2Family;
import io.penstock.partitioner.CostModel;
import io.penstock.partitioner.Plan;
import io.penstock.partitioner.Planner;
import io.penstock.partitioner.Techniques;
import io.penstock.partitioner.schedule.Schedules;
import io.penstock.tensor.Backend;
import io.penstock.tensor.DType;
import io.penstock.tensor.MemoryLedger;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.TensorTable;
import io.penstock.tensor.cpu.CpuBackend;
import io.penstock.transport.Endpoint;
import io.penstock.transport.EndpointSettings;
import io.penstock.transport.InMemoryFabric;
import java.util.Collections;
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
 * What does recomputation cost, and what does it free? A step of GPT-2 124M in BF16 on one rank, one micro-batch of sequences of 1024 tokens: forward, backward, clipping and
 * AdamW. The baseline keeps everything. {@code rate} is in tokens a second, {@code activationMiB} what the slots and what is recomputed take, {@code rankMiB} all of the rank.
 */
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Fork(value = 1, jvmArgsAppend = "-Xmx1g")
@Warmup(iterations = 1, time = 1)
@Measurement(iterations = 3, time = 5)
public class RecomputationBenchmark {
    private static final ModelSpec GPT2_124M =
            new Gpt2Family().spec(Presets.find("gpt2-124m").orElseThrow());
    private static final int SEQUENCE = 1024;
    private static final double MEBIBYTE = 1 << 20;

    /** Tokens trained on, which JMH prints a second. */
    @AuxCounters(AuxCounters.Type.OPERATIONS)
    @State(Scope.Thread)
    public static class Rate {
        public double rate;
    }

    /** What the rank allocated. */
    @AuxCounters(AuxCounters.Type.EVENTS)
    @State(Scope.Thread)
    public static class Held {
        public double activationMiB;
        public double rankMiB;
    }

    /** A rank that trains. */
    @State(Scope.Benchmark)
    public abstract static class Training {
        @Param({"1", "2", "4"})
        public int batch;

        @Param("2")
        public int threads;

        private final Recomputation recomputation;
        private Backend backend;
        private Endpoint endpoint;
        private PipelineRank rank;
        private Plan plan;
        private int step;

        Training(Recomputation recomputation) {
            this.recomputation = recomputation;
        }

        @Setup
        public void setup() {
            backend = new CpuBackend(threads);
            endpoint = new InMemoryFabric(1, EndpointSettings.DEFAULT).endpoint(0);
            plan = Planner.plan(
                    GPT2_124M,
                    new MicroBatchShape(batch, SEQUENCE),
                    DType.BF16,
                    Schedules.oneForwardOneBackward(1, 1, true),
                    Techniques.NONE.with(Collections.nCopies(GPT2_124M.layers().size(), recomputation)),
                    CostModel.DeviceRates.cpu(DType.BF16),
                    backend.workspaceBytes());
            Hyperparameters hyperparameters = new Hyperparameters(
                    new AdamW(0.9, 0.95, 1e-8, 0.1, 1),
                    new LearningRateSchedule(3e-4, 0, LearningRateSchedule.Decay.CONSTANT, 1, 1));
            MemoryLedger ledger = new MemoryLedger(backend::allocate, Long.MAX_VALUE);
            rank = new PipelineRank(
                    GPT2_124M, plan, hyperparameters, backend, ledger, endpoint, new Ids(), Training::noStore);
            rank.initialize(1);
        }

        private static ShardStore noStore(TensorTable table) {
            throw new IllegalStateException("a benchmark without offload asks for a store");
        }

        double train(Rate rate, Held held) {
            rank.trainStep(step++);
            rate.rate += batch * (double) SEQUENCE;
            held.rankMiB = plan.memory().get(0).totalBytes() / MEBIBYTE;
            held.activationMiB = (plan.memory().get(0).activations().totalBytes()
                            + plan.memory().get(0).stash().totalBytes())
                    / MEBIBYTE;
            if (!(rank.loss() < Math.log(GPT2_124M.config().vocabSize()) + 0.3)) {
                throw new IllegalStateException("loss " + rank.loss() + " in step " + step);
            }
            return rank.loss();
        }

        @TearDown
        public void tearDown() {
            rank.close();
            endpoint.announceDone();
            endpoint.close();
            backend.close();
        }
    }

    /** The same tokens every step. */
    private static final class Ids implements BatchSource {
        @Override
        public void tokens(Tensor tokens_BT, int step, int microBatch) {
            fill(tokens_BT, 0);
        }

        @Override
        public void targets(Tensor targets_BT, int step, int microBatch) {
            fill(targets_BT, 1);
        }

        private static void fill(Tensor ids_BT, int shift) {
            for (long i = 0; i < ids_BT.elements(); i++) {
                ids_BT.set(i, (double) ((i + shift) * 7919 % GPT2_124M.config().vocabSize()));
            }
        }
    }

    public static class Keeping extends Training {
        public Keeping() {
            super(Recomputation.NONE);
        }
    }

    public static class Selective extends Training {
        public Selective() {
            super(Recomputation.SELECTIVE);
        }
    }

    public static class Full extends Training {
        public Full() {
            super(Recomputation.FULL);
        }
    }

    @Benchmark
    public double baseline(Keeping training, Rate rate, Held held) {
        return training.train(rate, held);
    }

    @Benchmark
    public double selective(Selective training, Rate rate, Held held) {
        return training.train(rate, held);
    }

    @Benchmark
    public double full(Full training, Rate rate, Held held) {
        return training.train(rate, held);
    }
}
