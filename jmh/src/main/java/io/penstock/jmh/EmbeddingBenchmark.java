package io.penstock.jmh;

import io.penstock.jmh.peer.Libtorch;
import io.penstock.tensor.DType;
import io.penstock.tensor.Shape;
import io.penstock.tensor.Tensor;
import java.util.List;
import java.util.SplittableRandom;
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

/** How fast are the sum of token and position embeddings, and the gradients of their tables? Bound by memory. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(1)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 3, time = 1)
public class EmbeddingBenchmark {
    @State(Scope.Benchmark)
    public static class Pass {
        @Param({"forward", "backward"})
        public String pass = "";

        boolean forward() {
            return pass.equals("forward");
        }
    }

    /** The activations are rotated; the tables, of 50257 rows, are never in cache. */
    @State(Scope.Benchmark)
    public static class Own {
        private OwnSide side;
        private Tensor[] y_RC = {};
        private Traffic[] traffic = {};
        private Tensor tokens_R;
        private Tensor wte_VC;
        private Tensor wpe_TC;
        private Tensor dwte_VC;
        private Tensor dwpe_TC;

        @Setup
        public void setup(OwnSide own, Setting setting, Residency residency, Pass pass) {
            side = own;
            Shape shape = Shape.of(Setting.ROWS, Setting.HIDDEN);
            Tensor values_RC = own.memory.normal(1, setting.dtype, shape);
            y_RC = residency.each(Tensor[]::new, i -> own.memory.copy(values_RC));
            tokens_R = own.memory.ids(2, Setting.VOCABULARY, Shape.of(Setting.ROWS));
            wte_VC = own.memory.zeros(setting.dtype, Shape.of(Setting.VOCABULARY, Setting.HIDDEN));
            wpe_TC = own.memory.normal(4, setting.dtype, Shape.of(Setting.SEQUENCE, Setting.HIDDEN));
            dwte_VC = own.memory.zeros(DType.F32, Shape.of(Setting.VOCABULARY, Setting.HIDDEN));
            dwpe_TC = own.memory.zeros(DType.F32, Shape.of(Setting.SEQUENCE, Setting.HIDDEN));
            traffic = residency.each(Traffic[]::new, i -> traffic(pass, i));
        }

        /** As many rows as there are tokens, side by side; positions are read once, their gradients read and written once. */
        private Traffic traffic(Pass pass, int set) {
            Tensor y = y_RC[set];
            Shape rows = Shape.of(Setting.ROWS, Setting.HIDDEN);
            return pass.forward()
                    ? new Traffic(List.of(side.memory.zeros(y.dtype(), rows), wpe_TC), List.of(), List.of(y))
                    : new Traffic(List.of(y), List.of(side.memory.zeros(DType.F32, rows), dwpe_TC), List.of());
        }

        void forward(int set) {
            side.backend.embedding(y_RC[set], tokens_R, wte_VC, wpe_TC, Setting.SEQUENCE);
            side.backend.synchronize();
        }

        void backward(int set) {
            side.backend.embeddingBackward(dwte_VC, dwpe_TC, y_RC[set], tokens_R, Setting.SEQUENCE);
            side.backend.synchronize();
        }
    }

    @State(Scope.Benchmark)
    public static class Peer {
        private org.bytedeco.pytorch.Tensor tokens_BT;
        private org.bytedeco.pytorch.Tensor wte_VC;
        private org.bytedeco.pytorch.Tensor wpe_TC;
        private org.bytedeco.pytorch.Tensor dy_BTC;

        @Setup
        public void setup(Setting setting) {
            Libtorch.threads(setting.threads);
            int[] tokens = new SplittableRandom(2)
                    .ints(Setting.ROWS, 0, Setting.VOCABULARY)
                    .toArray();
            tokens_BT = Libtorch.ids(tokens, Setting.BATCH, Setting.SEQUENCE);
            wte_VC = Libtorch.normal(1, setting.dtype, Setting.VOCABULARY, Setting.HIDDEN);
            wpe_TC = Libtorch.normal(1, setting.dtype, Setting.SEQUENCE, Setting.HIDDEN);
            dy_BTC = Libtorch.normal(1, setting.dtype, Setting.BATCH, Setting.SEQUENCE, Setting.HIDDEN);
        }
    }

    @Benchmark
    public void penstock(Own own, Pass pass, Residency residency) {
        if (pass.forward()) {
            own.forward(residency.next());
        } else {
            own.backward(residency.next());
        }
    }

    /** Its backward makes a fresh gradient of the whole table each time: that is how autograd does it. */
    @Benchmark
    public void baseline(Peer peer, Pass pass) {
        try (var _ = new PointerScope()) {
            if (pass.forward()) {
                torch.embedding(peer.wte_VC, peer.tokens_BT).add(peer.wpe_TC);
            } else {
                torch.embedding_dense_backward(peer.dy_BTC, peer.tokens_BT, Setting.VOCABULARY, -1, false);
                peer.dy_BTC.sum(0);
            }
        }
    }

    @Benchmark
    public void floor(TrafficFloor floor, Own own, Residency residency) {
        floor.move(own.traffic[residency.next()]);
    }
}
