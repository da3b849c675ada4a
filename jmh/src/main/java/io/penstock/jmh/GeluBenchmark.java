package io.penstock.jmh;

import io.penstock.jmh.peer.Libtorch;
import io.penstock.tensor.Shape;
import io.penstock.tensor.Tensor;
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

/** How fast is the tanh GELU of the feed-forward activations, forward and backward? Bound by memory. */
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

        /** Reads x, writes y; reads x and dy, writes dx. */
        long bytes(Setting setting) {
            return setting.bytes((forward() ? 2L : 3L) * Setting.ROWS * Setting.FEED_FORWARD);
        }
    }

    @State(Scope.Benchmark)
    public static class Own {
        private OwnSide side;
        private Tensor x_RF;
        private Tensor y_RF;
        private Tensor dy_RF;

        @Setup
        public void setup(OwnSide own, Setting setting) {
            side = own;
            Shape shape = Shape.of(Setting.ROWS, Setting.FEED_FORWARD);
            x_RF = own.memory.normal(1, setting.dtype, shape);
            y_RF = own.memory.zeros(setting.dtype, shape);
            dy_RF = own.memory.normal(2, setting.dtype, shape);
        }

        void forward() {
            side.backend.gelu(y_RF, x_RF);
            side.backend.synchronize();
        }

        void backward() {
            side.backend.geluBackward(y_RF, dy_RF, x_RF);
            side.backend.synchronize();
        }
    }

    @State(Scope.Benchmark)
    public static class Peer {
        private org.bytedeco.pytorch.Tensor x_RF;
        private org.bytedeco.pytorch.Tensor dy_RF;

        @Setup
        public void setup(Setting setting) {
            Libtorch.threads(setting.threads);
            x_RF = Libtorch.normal(1, setting.dtype, Setting.ROWS, Setting.FEED_FORWARD);
            dy_RF = Libtorch.normal(1, setting.dtype, Setting.ROWS, Setting.FEED_FORWARD);
        }
    }

    @Benchmark
    public void penstock(Own own, Pass pass) {
        if (pass.forward()) {
            own.forward();
        } else {
            own.backward();
        }
    }

    @Benchmark
    public void baseline(Peer peer, Pass pass) {
        try (var _ = new PointerScope()) {
            if (pass.forward()) {
                torch.gelu(peer.x_RF, "tanh");
            } else {
                torch.gelu_backward(peer.dy_RF, peer.x_RF, "tanh");
            }
        }
    }

    @Benchmark
    public void floor(CopyFloor floor, Setting setting, Pass pass) {
        floor.move(pass.bytes(setting));
    }
}
