package io.penstock.jmh;

import io.penstock.jmh.peer.Libtorch;
import io.penstock.tensor.DType;
import io.penstock.tensor.Shape;
import io.penstock.tensor.Tensor;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.bytedeco.javacpp.BoolPointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.TensorOptional;
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

/** How fast is layer norm over C, forward and backward? Bound by memory, in cache by arithmetic. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(1)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 3, time = 1)
public class LayerNormBenchmark {
    private static final float EPSILON = 1e-5f;

    @State(Scope.Benchmark)
    public static class Pass {
        @Param({"forward", "backward"})
        public String pass = "";

        boolean forward() {
            return pass.equals("forward");
        }
    }

    /** One set of Penstock's tensors. */
    private record Tensors(Tensor x_RC, Tensor y_RC, Tensor dx_RC) {
        /** Reads x, writes y; reads x and dy (which is y here), writes dx. */
        Traffic traffic(Pass pass) {
            return pass.forward()
                    ? new Traffic(List.of(x_RC), List.of(), List.of(y_RC))
                    : new Traffic(List.of(x_RC, y_RC), List.of(), List.of(dx_RC));
        }
    }

    @State(Scope.Benchmark)
    public static class Own {
        private OwnSide side;
        private Tensors[] sets = {};
        private Traffic[] traffic = {};
        private Tensor mean_R;
        private Tensor rstd_R;
        private Tensor gain_C;
        private Tensor bias_C;
        private Tensor dgain_C;
        private Tensor dbias_C;

        @Setup
        public void setup(OwnSide own, Setting setting, Residency residency, Pass pass) {
            side = own;
            mean_R = own.memory.zeros(DType.F32, Shape.of(Setting.ROWS));
            rstd_R = own.memory.zeros(DType.F32, Shape.of(Setting.ROWS));
            gain_C = own.memory.normal(2, DType.F32, Shape.of(Setting.HIDDEN));
            bias_C = own.memory.normal(3, DType.F32, Shape.of(Setting.HIDDEN));
            dgain_C = own.memory.zeros(DType.F32, Shape.of(Setting.HIDDEN));
            dbias_C = own.memory.zeros(DType.F32, Shape.of(Setting.HIDDEN));
            Shape shape = Shape.of(Setting.ROWS, Setting.HIDDEN);
            Tensor values_RC = own.memory.normal(1, setting.dtype, shape);
            sets = residency.each(
                    Tensors[]::new,
                    i -> new Tensors(
                            own.memory.copy(values_RC),
                            own.memory.zeros(setting.dtype, shape),
                            own.memory.zeros(setting.dtype, shape)));
            traffic = residency.each(Traffic[]::new, i -> sets[i].traffic(pass));
            for (Tensors set : sets) {
                forward(set);
            }
        }

        private void forward(Tensors set) {
            side.backend.layerNorm(set.y_RC, mean_R, rstd_R, set.x_RC, gain_C, bias_C, EPSILON);
        }

        private void backward(Tensors set) {
            side.backend.layerNormBackward(
                    set.dx_RC, dgain_C, dbias_C, set.y_RC, null, set.x_RC, gain_C, mean_R, rstd_R);
        }
    }

    @State(Scope.Benchmark)
    public static class Peer {
        private org.bytedeco.pytorch.Tensor[] x_RC = {};
        private org.bytedeco.pytorch.Tensor[] dy_RC = {};
        private org.bytedeco.pytorch.Tensor mean_R;
        private org.bytedeco.pytorch.Tensor rstd_R;
        private TensorOptional gain_C;
        private TensorOptional bias_C;
        private BoolPointer all;

        @Setup
        public void setup(Setting setting, Residency residency) {
            Libtorch.threads(setting.threads);
            x_RC = residency.each(
                    org.bytedeco.pytorch.Tensor[]::new,
                    i -> Libtorch.normal(1, setting.dtype, Setting.ROWS, Setting.HIDDEN));
            dy_RC = residency.each(
                    org.bytedeco.pytorch.Tensor[]::new,
                    i -> Libtorch.normal(1, setting.dtype, Setting.ROWS, Setting.HIDDEN));
            gain_C = new TensorOptional(Libtorch.normal(1, setting.dtype, Setting.HIDDEN));
            bias_C = new TensorOptional(Libtorch.normal(1, setting.dtype, Setting.HIDDEN));
            var result = torch.native_layer_norm(x_RC[0], new long[] {Setting.HIDDEN}, gain_C, bias_C, EPSILON);
            mean_R = result.get1();
            rstd_R = result.get2();
            all = new BoolPointer(3).put(0, true).put(1, true).put(2, true);
        }
    }

    @Benchmark
    public void penstock(Own own, Pass pass, Residency residency) {
        Tensors set = own.sets[residency.next()];
        if (pass.forward()) {
            own.forward(set);
        } else {
            own.backward(set);
        }
        own.side.backend.synchronize();
    }

    @Benchmark
    public void baseline(Peer peer, Pass pass, Residency residency) {
        long[] normed = {Setting.HIDDEN};
        int set = residency.next();
        try (var _ = new PointerScope()) {
            if (pass.forward()) {
                torch.native_layer_norm(peer.x_RC[set], normed, peer.gain_C, peer.bias_C, EPSILON);
            } else {
                torch.native_layer_norm_backward(
                        peer.dy_RC[set],
                        peer.x_RC[set],
                        normed,
                        peer.mean_R,
                        peer.rstd_R,
                        peer.gain_C,
                        peer.bias_C,
                        peer.all);
            }
        }
    }

    @Benchmark
    public void floor(TrafficFloor floor, Own own, Residency residency) {
        floor.move(own.traffic[residency.next()]);
    }
}
