package io.penstock.tensor.cuda;

import io.penstock.tensor.AttentionShape;
import io.penstock.tensor.Backend;
import io.penstock.tensor.CarvedMemory;
import io.penstock.tensor.DType;
import io.penstock.tensor.MemoryLedger;
import io.penstock.tensor.Shape;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.TensorTable;
import io.penstock.tensor.Write;
import java.util.Locale;

/**
 * Times of the operations of a GPT-2 124M micro-batch on a card, beside what their bytes and products allow: a table for the report of scripts/gpu-check.
 * Arguments: B T C N V, of the model if none.
 */
final class OperationTimes {
    private static final int RUNS = 50;

    private final Backend backend;
    private final Sizes sizes;
    private final CarvedMemory memory;

    private record Sizes(int b, int t, int c, int n, int v) {
        int rows() {
            return b * t;
        }
    }

    private OperationTimes(Backend backend, Sizes sizes) {
        this.backend = backend;
        this.sizes = sizes;
        int r = sizes.rows();
        int c = sizes.c;
        TensorTable table = TensorTable.builder()
                .add("x", DType.BF16, Shape.of(r, c))
                .add("y", DType.BF16, Shape.of(r, c))
                .add("dx", DType.BF16, Shape.of(r, c))
                .add("f", DType.BF16, Shape.of(r, 4L * c))
                .add("df", DType.BF16, Shape.of(r, 4L * c))
                .add("qkv", DType.BF16, Shape.of(r, 3L * c))
                .add("dqkv", DType.BF16, Shape.of(r, 3L * c))
                .add("lse", DType.F32, Shape.of(sizes.b, sizes.n, sizes.t))
                .add("w", DType.BF16, Shape.of(4L * c, c))
                .add("dw", DType.F32, Shape.of(4L * c, c))
                .add("m", DType.F32, Shape.of(4L * c, c))
                .add("v", DType.F32, Shape.of(4L * c, c))
                .add("master", DType.F32, Shape.of(4L * c, c))
                .add("bias", DType.F32, Shape.of(4L * c))
                .add("gain", DType.F32, Shape.of(c))
                .add("mean", DType.F32, Shape.of(r))
                .add("rstd", DType.F32, Shape.of(r))
                .add("logits", DType.F32, Shape.of(1024, sizes.v))
                .add("targets", DType.I32, Shape.of(1024))
                .add("losses", DType.F32, Shape.of(1024))
                .build();
        memory = CarvedMemory.allocate("times", table, new MemoryLedger(backend::allocate, Long.MAX_VALUE));
    }

    public static void main(String[] arguments) {
        Sizes sizes = arguments.length == 5
                ? new Sizes(
                        Integer.parseInt(arguments[0]),
                        Integer.parseInt(arguments[1]),
                        Integer.parseInt(arguments[2]),
                        Integer.parseInt(arguments[3]),
                        Integer.parseInt(arguments[4]))
                : new Sizes(8, 1024, 768, 12, 50257);
        try (CudaBackend backend = CudaBackend.open(0)) {
            System.out.println(backend.description() + ", " + sizes);
            System.out.println("| operation | microseconds | GB/s | TFLOP/s |");
            System.out.println("|---|---|---|---|");
            OperationTimes times = new OperationTimes(backend, sizes);
            times.run();
            times.memory.close();
        }
    }

    private Tensor of(String name) {
        return memory.tensor(name);
    }

    private void run() {
        double rows = sizes.rows();
        double c = sizes.c;
        AttentionShape shape = new AttentionShape(sizes.b, sizes.t, sizes.n, sizes.n, sizes.c / sizes.n);
        Tensor qkv = of("qkv");
        Tensor dqkv = of("dqkv");
        double pairs = rows * sizes.t / 2 * c;
        time(
                "matmul (R,C) x (4C,C)' + bias",
                0,
                8 * rows * c * c,
                () -> backend.matmul(of("f"), of("x"), false, of("w"), true, of("bias"), Write.OVERWRITE));
        time(
                "matmul (R,4C)' x (R,C), accumulated",
                0,
                8 * rows * c * c,
                () -> backend.matmul(of("dw"), of("f"), true, of("x"), false, null, Write.ACCUMULATE));
        time("sumRows (R,4C)", 8 * rows * c, 0, () -> backend.sumRows(of("bias"), of("f")));
        time(
                "layerNorm",
                4 * rows * c,
                0,
                () -> backend.layerNorm(of("y"), of("mean"), of("rstd"), of("x"), of("gain"), of("gain"), 1e-5f));
        time(
                "layerNormBackward",
                12 * rows * c,
                0,
                () -> backend.layerNormBackward(
                        of("dx"),
                        of("bias").slice(0, sizes.c),
                        of("bias").slice(sizes.c, sizes.c),
                        of("y"),
                        null,
                        of("x"),
                        of("gain"),
                        of("mean"),
                        of("rstd")));
        time("gelu (R,4C)", 16 * rows * c, 0, () -> backend.gelu(of("df"), of("f")));
        time("geluBackward (R,4C)", 24 * rows * c, 0, () -> backend.geluBackward(of("df"), of("df"), of("f")));
        time(
                "attention",
                0,
                4 * pairs,
                () -> backend.attention(
                        of("y"),
                        of("lse"),
                        qkv.columns(0, sizes.c),
                        qkv.columns(sizes.c, sizes.c),
                        qkv.columns(2L * sizes.c, sizes.c),
                        shape));
        time(
                "attentionBackward",
                0,
                10 * pairs,
                () -> backend.attentionBackward(
                        dqkv.columns(0, sizes.c),
                        dqkv.columns(sizes.c, sizes.c),
                        dqkv.columns(2L * sizes.c, sizes.c),
                        of("x"),
                        of("y"),
                        of("lse"),
                        qkv.columns(0, sizes.c),
                        qkv.columns(sizes.c, sizes.c),
                        qkv.columns(2L * sizes.c, sizes.c),
                        shape));
        Tensor logits = of("logits");
        Tensor dlogits = Tensor.strided(logits.segment(), DType.BF16, logits.shape(), 2L * sizes.v);
        time(
                "crossEntropy (1024,V) in place",
                1024.0 * sizes.v * 10,
                0,
                () -> backend.crossEntropy(of("losses"), dlogits, logits, of("targets"), 1));
        time(
                "adamW (4C,C)",
                4 * c * c * 34,
                0,
                () -> backend.adamW(
                        of("master"),
                        of("m"),
                        of("v"),
                        of("dw"),
                        of("w"),
                        1e-4f,
                        0.9f,
                        0.95f,
                        1e-8f,
                        0.1f,
                        0.1f,
                        0.05f,
                        1));
    }

    /** {@code bytes} and {@code flops}: of one run, the least that it must move and multiply. */
    private void time(String name, double bytes, double flops, Runnable operation) {
        operation.run();
        backend.synchronize();
        long start = System.nanoTime();
        for (int i = 0; i < RUNS; i++) {
            operation.run();
        }
        backend.synchronize();
        double seconds = (System.nanoTime() - start) / 1e9 / RUNS;
        System.out.printf(
                Locale.ROOT,
                "| %s | %.1f | %s | %s |%n",
                name,
                seconds * 1e6,
                bytes == 0 ? "" : String.format(Locale.ROOT, "%.0f", bytes / seconds / 1e9),
                flops == 0 ? "" : String.format(Locale.ROOT, "%.1f", flops / seconds / 1e12));
    }
}
