package io.penstock.jmh;

import io.penstock.jmh.peer.Libtorch;
import io.penstock.tensor.Backend;
import io.penstock.tensor.DType;
import io.penstock.tensor.Shape;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.Write;
import io.penstock.tensor.cpu.CpuBackend;
import java.util.concurrent.TimeUnit;
import org.bytedeco.javacpp.PointerScope;
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
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * How fast is a matrix product of a GPT-2 124M step (B=4, T=256), with bias where the model has one? Beside libtorch's {@code addmm} or {@code mm}; the floor is the rate
 * of libtorch on a square product of 2048.
 */
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Fork(1)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 3, time = 1)
public class MatmulBenchmark {
    /** rows x inner x columns, and what is stored transposed. */
    @State(Scope.Benchmark)
    public static class Product {
        @Param({"qkv", "fc", "proj", "fc-input-gradient", "fc-weight-gradient", "head"})
        public String product = "";

        @Param({"F32", "BF16"})
        public DType dtype = DType.F32;

        @Param({"1", "2"})
        public int threads;

        MatrixShape shape() {
            return switch (product) {
                case "qkv" -> new MatrixShape(1024, 768, 2304, false, false, true);
                case "fc" -> new MatrixShape(1024, 768, 3072, false, false, true);
                case "proj" -> new MatrixShape(1024, 3072, 768, false, false, true);
                case "fc-input-gradient" -> new MatrixShape(1024, 3072, 768, false, true, false);
                case "fc-weight-gradient" -> new MatrixShape(768, 1024, 3072, true, false, false);
                case "head" -> new MatrixShape(256, 768, 50257, false, true, false);
                default -> throw new IllegalArgumentException("product=" + product);
            };
        }
    }

    record MatrixShape(int m, int k, int n, boolean transposeA, boolean transposeB, boolean bias) {
        double gigaflop() {
            return 2e-9 * m * k * n;
        }

        Shape a() {
            return transposeA ? Shape.of(k, m) : Shape.of(m, k);
        }

        Shape b() {
            return transposeB ? Shape.of(n, k) : Shape.of(k, n);
        }
    }

    /** Operations done, in units of 1e9: JMH prints them a second. */
    @AuxCounters(AuxCounters.Type.OPERATIONS)
    @State(Scope.Thread)
    public static class Rate {
        public double rate;
    }

    /** Penstock's operands; the weight gradient accumulates in F32. */
    @State(Scope.Benchmark)
    public static class Own {
        private BenchmarkMemory memory;
        private Backend backend;
        private Tensor a;
        private Tensor b;
        private Tensor bias;
        private Tensor c;

        @Setup
        public void setup(Product product) {
            MatrixShape shape = product.shape();
            backend = new CpuBackend(product.threads);
            memory = new BenchmarkMemory(backend);
            a = memory.normal(1, product.dtype, shape.a());
            b = memory.normal(2, product.dtype, shape.b());
            bias = memory.normal(3, DType.F32, Shape.of(shape.n()));
            boolean accumulates = shape.transposeA();
            c = memory.zeros(accumulates ? DType.F32 : product.dtype, Shape.of(shape.m(), shape.n()));
            multiply(shape);
            check(shape);
        }

        void multiply(MatrixShape shape) {
            backend.matmul(
                    c,
                    a,
                    shape.transposeA(),
                    b,
                    shape.transposeB(),
                    shape.bias() ? bias : null,
                    shape.transposeA() ? Write.ACCUMULATE : Write.OVERWRITE);
            backend.synchronize();
        }

        /** A sample of elements against sums in double, to the rounding of the result. */
        private void check(MatrixShape shape) {
            for (int i = 0; i < 64; i++) {
                long row = i * 7919L % shape.m();
                long column = i * 104729L % shape.n();
                double expected = shape.bias() ? bias.get(column) : 0;
                double magnitude = Math.abs(expected);
                for (long k = 0; k < shape.k(); k++) {
                    double product = a.get(shape.transposeA() ? k * shape.m() + row : row * shape.k() + k)
                            * b.get(shape.transposeB() ? column * shape.k() + k : k * shape.n() + column);
                    expected += product;
                    magnitude += Math.abs(product);
                }
                double actual = c.get(row * shape.n() + column);
                double bound =
                        c.dtype() == DType.BF16 ? 0x1p-8 * Math.abs(expected) + 1e-5 * magnitude : 1e-5 * magnitude;
                if (!(Math.abs(actual - expected) <= bound)) {
                    throw new IllegalStateException(
                            shape + " at " + row + ", " + column + ": " + actual + ", expected " + expected);
                }
            }
        }

        @TearDown
        public void tearDown() {
            memory.close();
            backend.close();
        }
    }

    /** libtorch's operands. */
    @State(Scope.Benchmark)
    public static class Peer {
        private static final int SQUARE = 2048;
        private org.bytedeco.pytorch.Tensor a;
        private org.bytedeco.pytorch.Tensor b;
        private org.bytedeco.pytorch.Tensor bias;
        private org.bytedeco.pytorch.Tensor square;

        @Setup
        public void setup(Product product) {
            Libtorch.threads(product.threads);
            MatrixShape shape = product.shape();
            a = operand(product.dtype, shape.a(), shape.transposeA());
            b = operand(product.dtype, shape.b(), shape.transposeB());
            bias = Libtorch.normal(1, product.dtype, shape.n());
            square = Libtorch.normal(1, product.dtype, SQUARE, SQUARE);
        }

        private static org.bytedeco.pytorch.Tensor operand(DType dtype, Shape stored, boolean transpose) {
            var matrix = Libtorch.normal(1, dtype, stored.dim(0), stored.dim(1));
            return transpose ? matrix.t() : matrix;
        }
    }

    @Benchmark
    public void penstock(Own own, Product product, Rate rate) {
        own.multiply(product.shape());
        rate.rate += product.shape().gigaflop();
    }

    @Benchmark
    public void baseline(Peer peer, Product product, Rate rate) {
        try (var _ = new PointerScope()) {
            if (product.shape().bias()) {
                torch.addmm(peer.bias, peer.a, peer.b);
            } else {
                torch.mm(peer.a, peer.b);
            }
        }
        rate.rate += product.shape().gigaflop();
    }

    @Benchmark
    public void floor(Peer peer, Rate rate) {
        try (var _ = new PointerScope()) {
            torch.mm(peer.square, peer.square);
        }
        rate.rate += 2e-9 * Peer.SQUARE * Peer.SQUARE * Peer.SQUARE;
    }
}
