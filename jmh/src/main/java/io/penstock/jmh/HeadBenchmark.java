package io.penstock.jmh;

import io.penstock.jmh.peer.Libtorch;
import io.penstock.models.Head;
import io.penstock.models.LayerContext;
import io.penstock.models.LayerSpec;
import io.penstock.models.MicroBatchShape;
import io.penstock.models.ModelConfig;
import io.penstock.models.Parameter;
import io.penstock.models.ParameterSource;
import io.penstock.models.ParameterSpec;
import io.penstock.models.Presets;
import io.penstock.models.gpt2.Gpt2Family;
import io.penstock.tensor.DType;
import io.penstock.tensor.Shape;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.TensorSource;
import io.penstock.tensor.TensorTable;
import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;
import org.openjdk.jmh.annotations.AuxCounters;
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

/**
 * How fast is the head of GPT-2 124M, forward and backward: final norm, projection to 50257 logits, cross-entropy, all gradients? {@code rate} counts its three products, in
 * 1e9 a second; the floor is libtorch's rate on a square product of 2048.
 */
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Fork(1)
@Warmup(iterations = 1, time = 1)
@Measurement(iterations = 2, time = 1)
public class HeadBenchmark {
    private static final ModelConfig CONFIG = Presets.find("gpt2-124m").orElseThrow();
    private static final double GIGAFLOP = 3 * 2e-9 * Setting.ROWS * Setting.HIDDEN * Setting.VOCABULARY;

    /** Operations done, in units of 1e9: JMH prints them a second. */
    @AuxCounters(AuxCounters.Type.OPERATIONS)
    @State(Scope.Thread)
    public static class Rate {
        public double rate;
    }

    /** A head with the record of its one slot. */
    private record Bound<S>(Head<S> head, S saved, Tensor loss_1) {
        static <S> Bound<S> of(Head<S> head, TensorSource slot, Tensor loss_1) {
            return new Bound<>(head, head.saved(slot), loss_1);
        }

        double run(Tensor dx_BTC, Tensor x_BTC, Tensor targets_BT) {
            head.forward(x_BTC, saved);
            head.backward(loss_1, dx_BTC, x_BTC, targets_BT, 1f / Setting.ROWS, saved);
            return loss_1.get(0);
        }
    }

    @State(Scope.Benchmark)
    public static class Own {
        private Bound<?> head;
        private Tensor x_BTC;
        private Tensor dx_BTC;
        private Tensor targets_BT;

        @Setup
        public void setup(OwnSide own, Setting setting) {
            var spec = new Gpt2Family().spec(CONFIG).head();
            var microBatch = new MicroBatchShape(Setting.BATCH, Setting.SEQUENCE);
            Shape shape = Shape.of(Setting.BATCH, Setting.SEQUENCE, Setting.HIDDEN);
            x_BTC = own.memory.normal(1, setting.dtype, shape);
            dx_BTC = own.memory.zeros(setting.dtype, shape);
            targets_BT = own.memory.ids(2, Setting.VOCABULARY, Shape.of(Setting.BATCH, Setting.SEQUENCE));
            TensorSource scratch = tensors(own.memory, spec.stash(microBatch, setting.dtype));
            TensorSource slot = tensors(own.memory, spec.saved(microBatch, setting.dtype));
            ParameterSource parameters = parameters(own.memory, spec, setting.dtype);
            head = Bound.of(
                    spec.bind(LayerContext.whole(own.backend, parameters, microBatch, setting.dtype)
                            .withScratch(scratch)),
                    slot,
                    own.memory.zeros(DType.F64, Shape.of(1)));
        }

        private static TensorSource tensors(BenchmarkMemory memory, TensorTable table) {
            Map<String, Tensor> tensors = new HashMap<>();
            for (TensorTable.Entry entry : table.entries()) {
                Tensor rows = memory.zeros(entry.dtype(), Shape.of(entry.shape().rows(), entry.rowStride()));
                tensors.put(
                        entry.name(), Tensor.strided(rows.segment(), entry.dtype(), entry.shape(), entry.rowStride()));
            }
            return name -> find(tensors, name);
        }

        private static ParameterSource parameters(BenchmarkMemory memory, LayerSpec layer, DType dtype) {
            Map<String, Parameter> parameters = new HashMap<>();
            for (ParameterSpec spec : layer.parameters()) {
                Tensor value = memory.normal(3, spec.isMatrix() ? dtype : DType.F32, spec.shape());
                parameters.put(spec.name(), new Parameter(spec, value, memory.zeros(DType.F32, spec.shape())));
            }
            return name -> find(parameters, name);
        }

        private static <X> X find(Map<String, X> named, String name) {
            X found = named.get(name);
            if (found == null) {
                throw new IllegalStateException("no '" + name + "' in " + named.keySet());
            }
            return found;
        }
    }

    @State(Scope.Benchmark)
    public static class Peer {
        private org.bytedeco.pytorch.Tensor x_RC;
        private org.bytedeco.pytorch.Tensor targets_R;
        private org.bytedeco.pytorch.Tensor gain_C;
        private org.bytedeco.pytorch.Tensor bias_C;
        private org.bytedeco.pytorch.Tensor w_VC;

        @Setup
        public void setup(Setting setting) {
            Libtorch.threads(setting.threads);
            x_RC = leaf(setting, Setting.ROWS, Setting.HIDDEN);
            gain_C = leaf(setting, Setting.HIDDEN);
            bias_C = leaf(setting, Setting.HIDDEN);
            w_VC = leaf(setting, Setting.VOCABULARY, Setting.HIDDEN);
            int[] targets = new SplittableRandom(2)
                    .ints(Setting.ROWS, 0, Setting.VOCABULARY)
                    .toArray();
            targets_R = Libtorch.ids(targets, Setting.ROWS);
        }

        private static org.bytedeco.pytorch.Tensor leaf(Setting setting, long... shape) {
            org.bytedeco.pytorch.Tensor leaf =
                    Libtorch.normal(1, setting.dtype, shape).detach();
            leaf.set_requires_grad(true);
            return leaf;
        }
    }

    @Benchmark
    public double penstock(Own own, Rate rate) {
        rate.rate += GIGAFLOP;
        return own.head.run(own.dx_BTC, own.x_BTC, own.targets_BT);
    }

    @Benchmark
    public double baseline(Peer peer, Rate rate) {
        rate.rate += GIGAFLOP;
        try (var _ = new PointerScope()) {
            org.bytedeco.pytorch.Tensor n_RC = torch.layer_norm(
                    peer.x_RC,
                    new long[] {Setting.HIDDEN},
                    new TensorOptional(peer.gain_C),
                    new TensorOptional(peer.bias_C),
                    CONFIG.layerNormEpsilon(),
                    true);
            org.bytedeco.pytorch.Tensor loss = torch.cross_entropy_loss(torch.linear(n_RC, peer.w_VC), peer.targets_R);
            loss.backward();
            peer.x_RC.mutable_grad().reset();
            peer.w_VC.mutable_grad().reset();
            return loss.item().toDouble();
        }
    }

    @Benchmark
    public void floor(SquareFloor floor, Rate rate) {
        rate.rate += floor.multiply();
    }
}
