package io.penstock.jmh;

import io.penstock.jmh.peer.Libtorch;
import io.penstock.tensor.DType;
import io.penstock.tensor.Shape;
import io.penstock.tensor.Tensor;
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

/** How fast is layer norm over C, forward and backward? Bound by memory. */
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

        /** Reads x, writes y; reads x and dy, writes dx. */
        long bytes(Setting setting) {
            return setting.bytes((forward() ? 2L : 3L) * Setting.ROWS * Setting.HIDDEN);
        }
    }

    @State(Scope.Benchmark)
    public static class Own {
        private OwnSide side;
        private Tensor x_RC;
        private Tensor y_RC;
        private Tensor dx_RC;
        private Tensor mean_R;
        private Tensor rstd_R;
        private Tensor gain_C;
        private Tensor bias_C;
        private Tensor dgain_C;
        private Tensor dbias_C;

        @Setup
        public void setup(OwnSide own, Setting setting) {
            side = own;
            Shape shape = Shape.of(Setting.ROWS, Setting.HIDDEN);
            x_RC = own.memory.normal(1, setting.dtype, shape);
            y_RC = own.memory.zeros(setting.dtype, shape);
            dx_RC = own.memory.zeros(setting.dtype, shape);
            mean_R = own.memory.zeros(DType.F32, Shape.of(Setting.ROWS));
            rstd_R = own.memory.zeros(DType.F32, Shape.of(Setting.ROWS));
            gain_C = own.memory.normal(2, DType.F32, Shape.of(Setting.HIDDEN));
            bias_C = own.memory.normal(3, DType.F32, Shape.of(Setting.HIDDEN));
            dgain_C = own.memory.zeros(DType.F32, Shape.of(Setting.HIDDEN));
            dbias_C = own.memory.zeros(DType.F32, Shape.of(Setting.HIDDEN));
            forward();
        }

        void forward() {
            side.backend.layerNorm(y_RC, mean_R, rstd_R, x_RC, gain_C, bias_C, EPSILON);
            side.backend.synchronize();
        }

        void backward() {
            side.backend.layerNormBackward(dx_RC, dgain_C, dbias_C, y_RC, null, x_RC, gain_C, mean_R, rstd_R);
            side.backend.synchronize();
        }
    }

    @State(Scope.Benchmark)
    public static class Peer {
        private org.bytedeco.pytorch.Tensor x_RC;
        private org.bytedeco.pytorch.Tensor dy_RC;
        private org.bytedeco.pytorch.Tensor mean_R;
        private org.bytedeco.pytorch.Tensor rstd_R;
        private TensorOptional gain_C;
        private TensorOptional bias_C;
        private BoolPointer all;

        @Setup
        public void setup(Setting setting) {
            Libtorch.threads(setting.threads);
            x_RC = Libtorch.normal(1, setting.dtype, Setting.ROWS, Setting.HIDDEN);
            gain_C = new TensorOptional(Libtorch.normal(1, setting.dtype, Setting.HIDDEN));
            bias_C = new TensorOptional(Libtorch.normal(1, setting.dtype, Setting.HIDDEN));
            var result = torch.native_layer_norm(x_RC, new long[] {Setting.HIDDEN}, gain_C, bias_C, EPSILON);
            dy_RC = result.get0();
            mean_R = result.get1();
            rstd_R = result.get2();
            all = new BoolPointer(3).put(0, true).put(1, true).put(2, true);
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
        long[] normed = {Setting.HIDDEN};
        try (var _ = new PointerScope()) {
            if (pass.forward()) {
                torch.native_layer_norm(peer.x_RC, normed, peer.gain_C, peer.bias_C, EPSILON);
            } else {
                torch.native_layer_norm_backward(
                        peer.dy_RC, peer.x_RC, normed, peer.mean_R, peer.rstd_R, peer.gain_C, peer.bias_C, peer.all);
            }
        }
    }

    @Benchmark
    public void floor(CopyFloor floor, Setting setting, Pass pass) {
        floor.move(pass.bytes(setting));
    }
}
