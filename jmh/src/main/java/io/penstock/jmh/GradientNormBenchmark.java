package io.penstock.jmh;

import io.penstock.jmh.peer.Libtorch;
import io.penstock.tensor.DType;
import io.penstock.tensor.Shape;
import io.penstock.tensor.Tensor;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.global.torch;
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

/** How fast is the norm of 32 M gradients? Bound by memory: they are read once. libtorch's are in the dtype, Penstock's in F32. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(1)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 3, time = 1)
public class GradientNormBenchmark {
    private static final int ELEMENTS = 32 << 20;

    @State(Scope.Benchmark)
    public static class Own {
        private OwnSide side;
        private Tensor gradient;
        private Tensor sum;

        @Setup
        public void setup(OwnSide own) {
            side = own;
            gradient = own.memory.normal(1, DType.F32, Shape.of(ELEMENTS));
            sum = own.memory.zeros(DType.F64, Shape.of(1));
        }
    }

    @State(Scope.Benchmark)
    public static class Peer {
        private org.bytedeco.pytorch.Tensor gradient;

        @Setup
        public void setup(Setting setting) {
            Libtorch.threads(setting.threads);
            gradient = Libtorch.normal(1, setting.dtype, ELEMENTS);
        }
    }

    @Benchmark
    public double penstock(Own own) {
        own.side.backend.sumOfSquares(own.sum, own.gradient);
        return Math.sqrt(own.sum.get(0));
    }

    @Benchmark
    public double baseline(Peer peer) {
        try (var _ = new PointerScope()) {
            return torch.norm(peer.gradient).item().toDouble();
        }
    }

    @Benchmark
    public void floor(TrafficFloor floor, Own own) {
        floor.move(new Traffic(List.of(own.gradient), List.of(), List.of()));
    }
}
