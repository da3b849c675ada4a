package io.penstock.jmh;

import io.penstock.jmh.peer.Libtorch;
import io.penstock.tensor.AttentionShape;
import io.penstock.tensor.DType;
import io.penstock.tensor.Shape;
import io.penstock.tensor.Tensor;
import java.util.concurrent.TimeUnit;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.TensorArrayRefOptional;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;
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
import org.openjdk.jmh.annotations.Warmup;

/**
 * How fast is causal attention of 12 heads of 64, forward, and forward with backward? {@code rate} counts the products that causality leaves, in 1e9 a second; the floor is
 * libtorch's rate on a square product of 2048. Beside {@code scaled_dot_product_attention} and autograd.
 */
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Fork(1)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 3, time = 1)
public class AttentionBenchmark {
    private static final int HEAD_SIZE = Setting.HIDDEN / Setting.HEADS;

    @State(Scope.Benchmark)
    public static class Pass {
        @Param({"forward", "forward-backward"})
        public String pass = "";

        boolean forwardOnly() {
            return pass.equals("forward");
        }

        /** Two products forward, five backward. */
        double gigaflop() {
            double square = (double) Setting.SEQUENCE * (Setting.SEQUENCE + 1) / 2;
            return 2e-9 * (forwardOnly() ? 2 : 7) * Setting.BATCH * Setting.HIDDEN * square;
        }
    }

    /** Operations done, in units of 1e9: JMH prints them a second. */
    @AuxCounters(AuxCounters.Type.OPERATIONS)
    @State(Scope.Thread)
    public static class Rate {
        public double rate;
    }

    @State(Scope.Benchmark)
    public static class Own {
        private final AttentionShape shape =
                new AttentionShape(Setting.BATCH, Setting.SEQUENCE, Setting.HEADS, Setting.HEADS, HEAD_SIZE);
        private OwnSide side;
        private Tensor qkv_R3C;
        private Tensor dqkv_R3C;
        private Tensor[] qkv_RC;
        private Tensor[] dqkv_RC;
        private Tensor o_RC;
        private Tensor do_RC;
        private Tensor lse_BNT;

        @Setup
        public void setup(OwnSide own, Setting setting) {
            side = own;
            Shape shape3 = Shape.of(Setting.ROWS, 3L * Setting.HIDDEN);
            qkv_R3C = own.memory.normal(1, setting.dtype, shape3);
            dqkv_R3C = own.memory.zeros(setting.dtype, shape3);
            qkv_RC = thirds(qkv_R3C);
            dqkv_RC = thirds(dqkv_R3C);
            o_RC = own.memory.zeros(setting.dtype, Shape.of(Setting.ROWS, Setting.HIDDEN));
            do_RC = own.memory.normal(2, setting.dtype, Shape.of(Setting.ROWS, Setting.HIDDEN));
            lse_BNT = own.memory.zeros(DType.F32, Shape.of(Setting.BATCH, Setting.HEADS, Setting.SEQUENCE));
        }

        private static Tensor[] thirds(Tensor x_R3C) {
            return new Tensor[] {
                x_R3C.columns(0, Setting.HIDDEN),
                x_R3C.columns(Setting.HIDDEN, Setting.HIDDEN),
                x_R3C.columns(2L * Setting.HIDDEN, Setting.HIDDEN)
            };
        }

        void forward() {
            side.backend.attention(o_RC, lse_BNT, qkv_RC[0], qkv_RC[1], qkv_RC[2], shape);
        }

        void backward() {
            side.backend.attentionBackward(
                    dqkv_RC[0], dqkv_RC[1], dqkv_RC[2], do_RC, o_RC, lse_BNT, qkv_RC[0], qkv_RC[1], qkv_RC[2], shape);
        }
    }

    @State(Scope.Benchmark)
    public static class Peer {
        private org.bytedeco.pytorch.Tensor[] qkv_BNTH = {};
        private org.bytedeco.pytorch.Tensor do_BNTH;

        @Setup
        public void setup(Setting setting, Pass pass) {
            Libtorch.threads(setting.threads);
            qkv_BNTH = new org.bytedeco.pytorch.Tensor[] {heads(setting), heads(setting), heads(setting)};
            do_BNTH = heads(setting);
            for (org.bytedeco.pytorch.Tensor x_BNTH : qkv_BNTH) {
                x_BNTH.set_requires_grad(!pass.forwardOnly());
            }
        }

        private static org.bytedeco.pytorch.Tensor heads(Setting setting) {
            return Libtorch.normal(1, setting.dtype, Setting.BATCH, Setting.SEQUENCE, Setting.HEADS, HEAD_SIZE)
                    .transpose(1, 2)
                    .detach();
        }
    }

    @Benchmark
    public void penstock(Own own, Pass pass, Rate rate) {
        own.forward();
        if (!pass.forwardOnly()) {
            own.backward();
        }
        own.side.backend.synchronize();
        rate.rate += pass.gigaflop();
    }

    @Benchmark
    public void baseline(Peer peer, Pass pass, Rate rate) {
        try (var _ = new PointerScope()) {
            org.bytedeco.pytorch.Tensor o_BNTH = torch.scaled_dot_product_attention(
                    peer.qkv_BNTH[0],
                    peer.qkv_BNTH[1],
                    peer.qkv_BNTH[2],
                    new TensorOptional(),
                    0,
                    true,
                    new DoubleOptional(),
                    false);
            if (!pass.forwardOnly()) {
                o_BNTH.backward(peer.do_BNTH, new BoolOptional(), false, new TensorArrayRefOptional());
                for (org.bytedeco.pytorch.Tensor x_BNTH : peer.qkv_BNTH) {
                    x_BNTH.mutable_grad().reset();
                }
            }
        }
        rate.rate += pass.gigaflop();
    }

    /** {@code pass} changes nothing here but the line of the table. */
    @Benchmark
    public void floor(SquareFloor floor, Pass pass, Rate rate) {
        rate.rate += floor.multiply();
    }
}
