package io.penstock.jmh;

import io.penstock.jmh.peer.Libtorch;
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
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** How fast is the tanh GELU of the feed-forward activations, forward and backward? Bound by memory, in cache by arithmetic. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(1)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 3, time = 1)
public class GeluBenchmark {
    @State(Scope.Benchmark)
    public static class Pass {
        @Param({"forward", "backward"})
        public String pass = "";

        boolean forward() {
            return pass.equals("forward");
        }
    }

    /** One set of Penstock's tensors. */
    private record Tensors(Tensor x_RF, Tensor dy_RF, Tensor y_RF) {
        /** Reads x, writes y; reads x and dy, writes dx (which is y here). */
        Traffic traffic(Pass pass) {
            return new Traffic(pass.forward() ? List.of(x_RF) : List.of(x_RF, dy_RF), List.of(), List.of(y_RF));
        }
    }

    @State(Scope.Benchmark)
    public static class Own {
        private OwnSide side;
        private Tensors[] sets = {};
        private Traffic[] traffic = {};

        @Setup
        public void setup(OwnSide own, Setting setting, Residency residency, Pass pass) {
            side = own;
            Shape shape = Shape.of(Setting.ROWS, Setting.FEED_FORWARD);
            Tensor values_RF = own.memory.normal(1, setting.dtype, shape);
            sets = residency.each(
                    Tensors[]::new,
                    i -> new Tensors(
                            own.memory.copy(values_RF),
                            own.memory.copy(values_RF),
                            own.memory.zeros(setting.dtype, shape)));
            traffic = residency.each(Traffic[]::new, i -> sets[i].traffic(pass));
        }
    }

    @State(Scope.Benchmark)
    public static class Peer {
        private org.bytedeco.pytorch.Tensor[] x_RF = {};
        private org.bytedeco.pytorch.Tensor[] dy_RF = {};

        @Setup
        public void setup(Setting setting, Residency residency) {
            Libtorch.threads(setting.threads);
            x_RF = residency.each(org.bytedeco.pytorch.Tensor[]::new, i -> normal(setting));
            dy_RF = residency.each(org.bytedeco.pytorch.Tensor[]::new, i -> normal(setting));
        }

        private static org.bytedeco.pytorch.Tensor normal(Setting setting) {
            return Libtorch.normal(1, setting.dtype, Setting.ROWS, Setting.FEED_FORWARD);
        }
    }

    @Benchmark
    public void penstock(Own own, Pass pass, Residency residency) {
        Tensors set = own.sets[residency.next()];
        if (pass.forward()) {
            own.side.backend.gelu(set.y_RF, set.x_RF);
        } else {
            own.side.backend.geluBackward(set.y_RF, set.dy_RF, set.x_RF);
        }
        own.side.backend.synchronize();
    }

    @Benchmark
    public void baseline(Peer peer, Pass pass, Residency residency) {
        int set = residency.next();
        try (var _ = new PointerScope()) {
            if (pass.forward()) {
                torch.gelu(peer.x_RF[set], "tanh");
            } else {
                torch.gelu_backward(peer.dy_RF[set], peer.x_RF[set], "tanh");
            }
        }
    }

    @Benchmark
    public void floor(TrafficFloor floor, Own own, Residency residency) {
        floor.move(own.traffic[residency.next()]);
    }
}
