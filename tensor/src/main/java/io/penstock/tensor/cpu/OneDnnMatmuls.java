package io.penstock.tensor.cpu;

import io.penstock.tensor.DType;

/** Makes oneDNN products, or ours where it has none: one engine, and a stream for each thread of the backend. */
final class OneDnnMatmuls implements MatmulKernels.Factory {
    private final Workspace workspace;
    private final long engine;
    private final long[] streams;
    private final boolean bf16;

    OneDnnMatmuls(Workspace workspace, int threads) {
        this.workspace = workspace;
        OneDnn.useOneThread();
        engine = OneDnn.createEngine();
        streams = new long[threads];
        for (int i = 0; i < threads; i++) {
            streams[i] = OneDnn.createStream(engine);
        }
        bf16 = hasBf16(engine);
    }

    /** "oneDNN 3.11.0, avx512_core_bf16", or how BF16 is multiplied where it has no instructions for it. */
    static String describe() {
        long engine = OneDnn.createEngine();
        try {
            return describe(engine, hasBf16(engine));
        } finally {
            OneDnn.destroyEngine(engine);
        }
    }

    private static String describe(long engine, boolean bf16) {
        String without = widens(engine) ? ", BF16 products in F32" : ", BF16 products in Java";
        return "oneDNN " + OneDnn.version() + ", " + OneDnn.instructionSet() + (bf16 ? "" : without);
    }

    /** Whether oneDNN multiplies F32 by BF16, which it does from AVX2 on. */
    private static boolean widens(long engine) {
        try (var square = square(engine, MatmulShape.WIDE_A)) {
            return square.isFast();
        }
    }

    /** Whether oneDNN's own BF16 products are worth having. */
    private static boolean hasBf16(long engine) {
        if (OneDnn.emulatesBf16()) {
            return false;
        }
        try (var square = square(engine, MatmulShape.HALF_OUTPUT)) {
            return square.exists();
        }
    }

    private static OneDnnProduct square(long engine, int more) {
        int flags = MatmulShape.flags(false, false, DType.BF16, false, false, false) | more;
        return new OneDnnProduct(engine, MatmulShape.of(16, 16, 16, 16, 16, 16, flags));
    }

    @Override
    public MatmulKernel create(MatmulShape shape) {
        // oneDNN multiplies F16 on few machines only (AVX-512 FP16), none of which this was tried on
        if (shape.type() == DType.F16 || (shape.type() == DType.BF16 && !bf16)) {
            MatmulKernel widened = WidenedMatmul.create(shape, this, workspace);
            return widened == null ? new JavaMatmul(shape, workspace) : widened;
        }
        return create(shape, Workspace.MATMUL_BYTES);
    }

    /** The kernel of a shape that oneDNN multiplies well, and that makes do with so much scratch memory. */
    MatmulKernel create(MatmulShape shape, long scratchBytes) {
        // The caller's thread may be new to OpenMP: kernels are made for the number of threads that it sees.
        OneDnn.useOneThread();
        try (var product = new OneDnnProduct(engine, shape)) {
            if (!product.exists()) {
                return new JavaMatmul(shape, workspace);
            }
            if (DeepMatmul.suits(shape)) {
                return new DeepMatmul(shape, this, workspace);
            }
            if (product.scratchBytes() > scratchBytes) {
                return new SplitMatmul(shape, half -> create(half, scratchBytes), scratchBytes);
            }
            return new OneDnnMatmul(shape, workspace, engine, streams, product);
        }
    }

    /** Whether oneDNN's own code for a shape is more than a loop of scalars. */
    boolean isFast(MatmulShape shape) {
        OneDnn.useOneThread();
        try (var product = new OneDnnProduct(engine, shape)) {
            return product.isFast();
        }
    }

    @Override
    public String description() {
        return describe(engine, bf16);
    }

    @Override
    public void close() {
        for (long stream : streams) {
            OneDnn.destroyStream(stream);
        }
        OneDnn.destroyEngine(engine);
    }
}
