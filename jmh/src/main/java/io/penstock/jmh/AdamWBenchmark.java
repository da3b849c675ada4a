package io.penstock.jmh;

import io.penstock.jmh.peer.Libtorch;
import io.penstock.tensor.DType;
import io.penstock.tensor.Shape;
import io.penstock.tensor.Tensor;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AdamW;
import org.bytedeco.pytorch.AdamWOptions;
import org.bytedeco.pytorch.TensorVector;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** How fast is an AdamW update of 32 M parameters? Bound by memory. libtorch keeps weights and moments in the dtype, Penstock in F32 with a working copy in it. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(1)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 3, time = 1)
public class AdamWBenchmark {
    private static final int ELEMENTS = 32 << 20;
    private static final float LEARNING_RATE = 3e-4f;
    private static final float BETA1 = 0.9f;
    private static final float BETA2 = 0.95f;
    private static final float EPSILON = 1e-8f;
    private static final float WEIGHT_DECAY = 0.1f;

    @State(Scope.Benchmark)
    public static class Own {
        private OwnSide side;
        private Tensor weight;
        private Tensor m;
        private Tensor v;
        private Tensor gradient;
        private @Nullable Tensor working;

        @Setup
        public void setup(OwnSide own, Setting setting) {
            side = own;
            Shape shape = Shape.of(ELEMENTS);
            weight = own.memory.normal(1, DType.F32, shape);
            m = own.memory.zeros(DType.F32, shape);
            v = own.memory.zeros(DType.F32, shape);
            gradient = own.memory.normal(2, DType.F32, shape);
            working = setting.dtype == DType.F32 ? null : own.memory.zeros(setting.dtype, shape);
        }
    }

    @State(Scope.Benchmark)
    public static class Peer {
        private AdamW optimizer;

        @Setup
        public void setup(Setting setting) {
            Libtorch.threads(setting.threads);
            org.bytedeco.pytorch.Tensor weight = Libtorch.normal(1, setting.dtype, ELEMENTS);
            weight.set_requires_grad(true);
            weight.mutable_grad().put(Libtorch.normal(1, setting.dtype, ELEMENTS));
            AdamWOptions options = new AdamWOptions(LEARNING_RATE);
            options.eps().put(EPSILON);
            options.weight_decay().put(WEIGHT_DECAY);
            optimizer = new AdamW(new TensorVector(weight), options);
        }
    }

    @Benchmark
    public void penstock(Own own) {
        own.side.backend.adamW(
                own.weight,
                own.m,
                own.v,
                own.gradient,
                own.working,
                LEARNING_RATE,
                BETA1,
                BETA2,
                EPSILON,
                WEIGHT_DECAY,
                1 - BETA1,
                1 - BETA2,
                1);
        own.side.backend.synchronize();
    }

    @Benchmark
    public void baseline(Peer peer) {
        try (var _ = new PointerScope()) {
            peer.optimizer.step();
        }
    }

    /** Weight, m, v and gradient are read and written, the working copy is written. */
    @Benchmark
    public void floor(TrafficFloor floor, Own own) {
        List<Tensor> written = own.working == null ? List.of() : List.of(own.working);
        floor.move(new Traffic(List.of(), List.of(own.weight, own.m, own.v, own.gradient), written));
    }
}
